// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerReader } from '../src/answer.js';

const whole = 'HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 4\r\n\r\n"ä"';

test('an answer is read whatever pieces it comes in', () => {
  const bytes = Buffer.from(whole);
  for (let cut = 1; cut < bytes.length; cut += 1) {
    const reader = new AnswerReader();
    assert.equal(reader.take(bytes.subarray(0, cut)), undefined);
    assert.deepEqual(reader.take(bytes.subarray(cut)), { status: 200, stays: true, text: '"ä"' });
  }
});

test('whether the connection stays', () => {
  const stays = (text) => new AnswerReader().take(Buffer.from(text)).stays;
  assert.equal(stays('HTTP/1.1 409 Conflict\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'), false);
  assert.equal(stays('HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n'), false);
  assert.equal(stays('HTTP/1.1 200\r\ncontent-length:0 \r\n\r\n'), true);
});

test('what is not surely one whole answer is none', () => {
  const none = [
    'nonsense\r\n\r\n',
    'HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n',
    'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n',
    `${whole}x`,
    `${whole}${whole}`,
    `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40000)}`,
  ];
  for (const text of none) assert.throws(() => new AnswerReader().take(Buffer.from(text)), text.slice(0, 60));
});
