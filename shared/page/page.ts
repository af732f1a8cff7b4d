import { createHash } from 'node:crypto';
import { changes } from './changes.ts';
import { ago, clockTime } from './format.ts';
import { html, Html } from './html.ts';
import { journeyOf } from './picture.ts';
import { picture } from './picture-svg.ts';
import { advice, dataPlaneTable, findings, headline, hero, quarantine, withheld, type Failure } from './sections.ts';
import type { Status } from './status.ts';
import { STYLE } from './style.ts';

/** How often a browser loads the page again, s. */
const REFRESH_SECONDS = 5;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Not in the template, whose white space is the formatter's: the policy's hash is of the very text between the tags. */
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);

/** Nothing may run or be loaded but the page's own style sheet. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${STYLE_HASH}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The whole page. `failure` says why nothing could be read. Pure. */
export function page(status: Status, failure: Failure | undefined): string {
  const title = `${headline(status)} – ${status.cluster ?? 'Kong Ingress Functions'}`;
  const read = status.now > 0 ? `as of ${clockTime(status.now)} UTC` : 'nothing has run yet';
  const at = failure === undefined ? read : 'nothing could be read';
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="refresh" content="${REFRESH_SECONDS}" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <header>
          <h1>Kong Ingress Functions${status.cluster === undefined ? '' : ` · ${status.cluster}`}</h1>
          <p>${at}, every ${REFRESH_SECONDS} s</p>
        </header>
        <main>
          ${hero(status, failure)}${withheld(status)}
          <section>${picture(journeyOf(status, failure === undefined))}</section>
          ${dataPlaneTable(status)}${quarantine(status)}${changes(status)}${findings(status)}${advice(status)}
        </main>
        <footer>
          Last check of the data planes: ${ago(status.checkedAt, status.now)}. Last comparison of the whole cluster:
          ${ago(status.reconciledAt, status.now)}.
        </footer>
      </body>
    </html> `.text;
}
