/** Stands in for the package `form-data` in the bundles: no function sends forms, and the package costs 10 ms of start. */
export default function FormData(): never {
  throw new TypeError('multipart forms are not part of the bundle');
}
