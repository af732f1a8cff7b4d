import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { escape, html } from '../../shared/page/html.ts';
import { CONTENT_SECURITY_POLICY, page } from '../../shared/page/page.ts';
import { prometheus } from '../../shared/page/prometheus.ts';
import { NOTHING_RECORDED, statusOf, type Recorded } from '../../shared/page/status.ts';
import { judged, NOW, recorded, revision } from './samples.ts';

const HOSTILE = `"><script>alert('1')</script><b onmouseover="x">&amp;\u202egpj.exe\u0000`;

/** A status whose every text is `text`. */
function everywhere(text: string): Recorded {
  const problem = { severity: 'error', reason: text, object: text, message: text };
  const rejected = { entity: text, reason: text, message: text, attempts: 2, retryAt: NOW + 60_000 };
  return recorded({
    cluster: text,
    topology: text,
    withheldDeletes: 3,
    revisions: [revision('9', 3, true), revision('8', 20)],
    verdicts: [judged(text, 'partitioned', text, { reason: text }), judged(`${text}2`, 'converged', '9')],
    findings: { count: 60, items: [problem] },
    quarantined: { count: 1, items: [rejected] },
  });
}

function shown(given: Recorded): string {
  return page(statusOf(given), undefined);
}

/** Elements and the names of their attributes, in their order. */
function markup(text: string): readonly string[] {
  const tags = text.match(/<\/?[a-z!][^>]*>/gi) ?? [];
  return tags.map((tag) => tag.replaceAll(/"[^"]*"/g, '""'));
}

test('hostile names change no element and no attribute of the page', () => {
  assert.deepEqual(markup(shown(everywhere(HOSTILE))), markup(shown(everywhere('plain'))));
  assert.doesNotMatch(shown(everywhere(HOSTILE)), /<script|\u202e|\p{Cc}(?<!\s)/u);
});

test('an escaped text holds nothing that HTML would take as more than text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const escaped = escape(text);
      assert.doesNotMatch(escaped, /[<>"']|&(?!(?:amp|lt|gt|quot|#39);)|[\p{Cc}\u202a-\u202e]/u);
    }),
  );
});

test('a template takes HTML as it is, lists one after the other, and nothing for undefined', () => {
  const items = ['a<b', 'c'].map((item) => html`<i>${item}</i>`);
  assert.equal(
    html`<b class="${'x"y'}">${items}${undefined}${3}</b>`.text,
    '<b class="x&quot;y"><i>a&lt;b</i><i>c</i>3</b>',
  );
});

test('nothing may run or load but the style sheet, whose hash the policy names', () => {
  const text = shown(recorded());
  const style = /<style>([\s\S]*)<\/style>/.exec(text)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  assert.ok(CONTENT_SECURITY_POLICY.startsWith("default-src 'none'; style-src 'sha256-"));
  assert.ok(CONTENT_SECURITY_POLICY.includes(`'sha256-${hash}'`));
  assert.doesNotMatch(text, /<script|<link|<img| style="| on[a-z]+="|https?:\/\/(?!www\.w3\.org)/);
});

for (const [says, given, expected] of [
  ['everything there', {}, [/Every data plane has everything/, /Proof: stored/, /stored \+ 1\.5 s/, /converged/]],
  [
    'seen by requests',
    { verdicts: [judged('dp1', 'converged', '8', { proof: 'serving', marginMs: undefined, evidence: 'canary' })] },
    [/Everything is served/, /Proof: serving/, /canary/],
  ],
  [
    'one cut off',
    { verdicts: [judged('dp1', 'converged', '8'), judged('dp2', 'partitioned', '7')] },
    [/1 of 2 data planes may serve an old configuration/, /dp2: it is partitioned/, /1 revision behind, 20 s/],
  ],
  [
    'a change on its way',
    { revisions: [revision('9', 3, true)] },
    [/on its way to 2 of 2 data planes/, /not yet, 3\.0 s/],
  ],
  ['nothing written', NOTHING_RECORDED, [/Nothing has been written yet/]],
  [
    'slow settings',
    { warnings: ['db_update_frequency is <5> s'] },
    [/Settings of Kong that cost time or proof/, /db_update_frequency is &lt;5&gt; s/],
  ],
  ['deletes held back', { withheldDeletes: 12 }, [/12 deletes held back/]],
] satisfies readonly (readonly [string, Partial<Recorded>, readonly RegExp[]])[]) {
  test(`the page says: ${says}`, () => {
    const text = shown(recorded(given));
    for (const pattern of expected) assert.match(text, pattern);
  });
}

test('a page without an index to read says so, and never that something is served', () => {
  const failure = { code: 'INDEX_UNAVAILABLE', cause: 'It is gone.', nextStep: 'Look.' };
  const text = page({ ...statusOf(NOTHING_RECORDED), overall: 'unknown' }, failure);
  assert.match(text, /It is unknown what the data planes serve/);
  assert.match(text, /INDEX_UNAVAILABLE: It is gone\. Look\./);
  assert.doesNotMatch(text, /converged|Everything is served|has everything/);
});

const SAMPLE = /^[a-z_]+(\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? -?[\d.e+]+$/;

test("metrics keep to Prometheus' text format, whatever data planes are called", () => {
  const text = prometheus(statusOf(everywhere('a"b\\c\nd')));
  for (const line of text.trimEnd().split('\n')) assert.match(line, line.startsWith('#') ? /^# (HELP|TYPE) / : SAMPLE);
});

test('metrics say what is known, and nothing of what is not', () => {
  const text = prometheus(
    statusOf(recorded({ verdicts: [judged('dp1', 'partitioned', '7'), judged('x', 'unknown', undefined)] })),
  );
  assert.match(text, /^kong_ingress_served 0$/m);
  assert.match(text, /^kong_ingress_data_plane_state\{data_plane="dp1",node="id-of-dp1",state="partitioned"\} 1$/m);
  assert.match(text, /^kong_ingress_data_plane_lag_revisions\{data_plane="dp1",node="id-of-dp1"\} 1$/m);
  assert.match(text, /^kong_ingress_data_plane_lag_seconds\{data_plane="dp1",node="id-of-dp1"\} 20$/m);
  assert.doesNotMatch(text, /lag_\w+\{data_plane="x"/);
  assert.match(text, /^kong_ingress_revision_newest 8$/m);
  assert.match(prometheus(statusOf(recorded())), /^kong_ingress_served 1$/m);
  assert.doesNotMatch(prometheus(statusOf(NOTHING_RECORDED)), /timestamp|revision_newest/);
});
