// SPDX-License-Identifier: Apache-2.0
// One connection, one question at a time. Whatever goes wrong ends it: then no later question can be given the
// answer of an earlier one.
import net from 'node:net';
import tls from 'node:tls';
import { AnswerReader } from './answer.js';

function open(place) {
  if (place.socket !== undefined) return net.connect({ path: place.socket });
  const to = { host: place.host, port: place.port };
  return place.secure ? tls.connect({ ...to, servername: net.isIP(place.host) ? undefined : place.host, ...place.tls }) : net.connect(to);
}

export class Connection {
  #socket;
  #question;
  #onEnd;

  // onEnd(this): it is over.
  constructor(place, onEnd) {
    this.#onEnd = onEnd;
    this.#socket = open(place);
    this.#socket.setNoDelay?.(true);
    this.#socket.unref(); // an idle one keeps no process alive; a question's timer does
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error) => this.#end(error));
    this.#socket.on('end', () => this.#end(new Error('the connection ended')));
    this.#socket.on('close', () => this.#end(new Error('the connection ended')));
  }

  // The answer within withinMs; else the connection ends.
  ask(bytes, withinMs) {
    if (this.#onEnd === undefined) return Promise.reject(new Error('the connection ended'));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#end(new Error(`no answer within ${withinMs} ms`)), withinMs);
      this.#question = { resolve, reject, timer, reader: new AnswerReader() };
      this.#socket.write(bytes);
    });
  }

  close() {
    this.#end(new Error('the connection was closed'));
  }

  #read(chunk) {
    if (this.#question === undefined) {
      this.#end(new Error('an answer that nobody asked for'));
      return;
    }
    let answer;
    try {
      answer = this.#question.reader.take(chunk);
    } catch (error) {
      this.#end(error);
    }
    if (answer !== undefined) this.#settle(answer);
  }

  #settle(answer) {
    const { resolve, timer } = this.#question;
    clearTimeout(timer);
    this.#question = undefined;
    if (!answer.stays) this.#end(new Error('the service closes'));
    resolve(answer);
  }

  #end(error) {
    if (this.#onEnd === undefined) return;
    const onEnd = this.#onEnd;
    const question = this.#question;
    this.#onEnd = undefined;
    this.#question = undefined;
    this.#socket.destroy();
    onEnd(this);
    if (question === undefined) return;
    clearTimeout(question.timer);
    question.reject(error);
  }
}
