// SPDX-License-Identifier: Apache-2.0
// One answer of HTTP/1.1 out of the bytes of a connection. Strict: what is not surely one whole answer is none, for
// an answer that belongs to another question could admit.

const HEAD_BYTES = 32 * 1024;
const BODY_BYTES = 16 * 1024 * 1024;
const STATUS = /^HTTP\/1\.[01] (\d{3})(?: [^\r\n]*)?$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const END = Buffer.from('\r\n\r\n');

function readHead(text) {
  const [first, ...lines] = text.split('\r\n');
  const status = STATUS.exec(first);
  if (status === null) throw new Error('no status line');
  const head = { status: Number(status[1]), length: undefined, stays: first.startsWith('HTTP/1.1') };
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    if (colon < 1 || !NAME.test(name)) throw new Error('a header that is none');
    readField(head, name.toLowerCase(), line, colon + 1);
  }
  if (head.status < 200 || head.length === undefined) throw new Error('an answer whose length is not told');
  return head;
}

function readField(head, name, line, from) {
  if (name === 'transfer-encoding') throw new Error('an answer whose length is not told');
  if (name === 'connection') head.stays &&= !/\bclose\b/i.test(line.slice(from));
  if (name !== 'content-length') return;
  const value = line.slice(from).trim();
  if (head.length !== undefined || !/^\d{1,9}$/.test(value)) throw new Error('a length that is none');
  head.length = Number(value);
  if (head.length > BODY_BYTES) throw new Error('an answer that is too long');
}

export class AnswerReader {
  #bytes = Buffer.alloc(0);
  #head;
  #bodyAt = 0;

  // undefined: more is to come. Throws on what is no answer, or more than one.
  take(chunk) {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    if (this.#head === undefined) {
      const end = this.#bytes.indexOf(END);
      if ((end < 0 ? this.#bytes.length : end) > HEAD_BYTES) throw new Error('a head that is too long');
      if (end < 0) return undefined;
      this.#head = readHead(this.#bytes.toString('latin1', 0, end));
      this.#bodyAt = end + END.length;
    }
    const whole = this.#bodyAt + this.#head.length;
    if (this.#bytes.length > whole) throw new Error('more than was asked for');
    if (this.#bytes.length < whole) return undefined;
    return { status: this.#head.status, stays: this.#head.stays, text: this.#bytes.toString('utf8', this.#bodyAt, whole) };
  }
}
