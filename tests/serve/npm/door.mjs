// SPDX-License-Identifier: Apache-2.0
// What stands before an application: it asks the service about each request, as a proxy does, and keeps
// what it has let in, so that a test can show it once more.
import http from 'node:http';
import { ask } from './support/service.mjs';
import { atEnd } from './support/verdict.mjs';

function bodyOf(request) {
  return new Promise((resolve) => {
    let text = '';
    request.on('data', (data) => { text += data; });
    request.on('end', () => resolve(text));
  });
}

const welcome = () => ({ status: 200, body: '{}' });

// question(request, body): the headers with which the service, on door.service, is asked.
// answer(request, body): what whoever is let in gets.
export async function openDoor(question, answer = welcome) {
  const door = { service: undefined, verdicts: [], letIn: [] };
  const check = (headers) => ask(door.service, '/check', { headers });
  const server = http.createServer(async (request, response) => {
    const body = await bodyOf(request);
    const headers = question(request, body);
    const verdict = await check(headers);
    door.verdicts.push(verdict.status);
    if (verdict.status === 200) door.letIn.push(headers);
    const { status, body: text } = verdict.status === 200 ? await answer(request, body) : { status: verdict.status, body: '' };
    for (const name of ['www-authenticate', 'dpop-nonce'])
      if (verdict.headers[name] !== undefined) response.setHeader(name, verdict.headers[name]);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(text);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  door.url = `http://127.0.0.1:${server.address().port}`;
  // What the service says of all that was let in, shown once more.
  door.showAgain = async () => {
    const answers = await Promise.all(door.letIn.map(check));
    return answers.map(({ status, reason }) => `${status} ${reason}`);
  };
  atEnd(() => { server.close(); server.closeAllConnections(); });
  return door;
}
