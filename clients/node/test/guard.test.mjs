// SPDX-License-Identifier: Apache-2.0
// The guard against services that fail in every way: nothing is admitted but by a whole answer to this very question.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Connection } from '../src/connection.js';
import { Guard, Refused } from '../src/index.js';
import { admit, admitted, answer, hangUp, openStranger, ownerInHex, replayed, sayNothing, unknown } from './stranger.mjs';

const claims = { kind: 'custom', custom_kind: 'test', jti: '1', lifetime: 60 };

function guardOn(context, { socket }, options = {}) {
  const guard = new Guard({ socket, deadlineMs: 1000, ...options });
  context.after(() => guard.close());
  return guard;
}

async function refusedBy(guard, given = claims) {
  const error = await guard.reserve(given).then(() => assert.fail('it was admitted'), (caught) => caught);
  assert.ok(error instanceof Refused, String(error.stack));
  return error;
}

test('a first use resolves with what can be given back', async (t) => {
  const stranger = await openStranger(t, admit);
  const { reservation, owner, ttlMs } = await guardOn(t, stranger).reserve({ ...claims, owner: 'request 7' });
  assert.deepEqual(reservation, { key: 'k', owner: ownerInHex('request 7') });
  assert.equal(owner, 'request 7');
  assert.equal(ttlMs, 1000);
  assert.deepEqual(stranger.questions[0].body, { ...claims, owner: 'request 7' });
});

test('a replay and a refusal say so', async (t) => {
  const stranger = await openStranger(t, answer(409, replayed), answer(422, { result: 'refused', reason: 'expired', text: 'over' }));
  const guard = guardOn(t, stranger);
  const replay = await refusedBy(guard);
  assert.deepEqual([replay.result, replay.reason, replay.replayed, replay.trouble], ['replayed', 'replayed', true, false]);
  const expired = await refusedBy(guard);
  assert.deepEqual([expired.result, expired.reason, expired.replayed, expired.trouble], ['refused', 'expired', false, false]);
  assert.equal(stranger.questions.length, 2);
});

test('what admits nobody', async (t) => {
  const owner = 'mine';
  const whole = admitted(owner);
  const answers = {
    'another status': answer(500, whole),
    'the status of a replay': answer(409, whole),
    'the status of trouble': answer(503, whole),
    'a replay with 200': answer(200, replayed),
    'another reason': answer(200, { ...whole, reason: 'expired' }),
    'no reason': answer(200, { ...whole, reason: undefined }),
    'no reservation': answer(200, { ...whole, reservation: undefined }),
    'the answer to another question': answer(200, admitted('other')),
    'true': answer(200, 'true'),
    'null': answer(200, 'null'),
    'a list': answer(200, [whole]),
    'half of it': answer(200, JSON.stringify(whole).slice(0, -1)),
    'nothing': answer(200, ''),
    'a page': answer(200, '<html>admitted</html>'),
    'a redirect': answer(302, whole),
    'no HTTP': (socket) => socket.end(JSON.stringify(whole)),
    'two answers': (socket) => { answer(200, whole)(socket); answer(200, whole)(socket); },
    'an answer that breaks off': (socket) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${JSON.stringify(whole)}`),
    'a closed line': hangUp,
  };
  for (const [what, one] of Object.entries(answers)) {
    const stranger = await openStranger(t, one);
    const guard = guardOn(t, stranger, { deadlineMs: 300 });
    const error = await refusedBy(guard, { ...claims, owner });
    assert.equal(error.trouble, true, `${what}: ${error}`);
    assert.equal(await guard.isFirstUse({ ...claims, owner }), false, what);
    const [decision] = await guard.admitMany([{ ...claims, owner }]);
    assert.equal(decision.admitted, false, what);
  }
});

test('nobody there, and nobody who answers in time', async (t) => {
  const nobody = new Guard({ socket: '/nonexistent/api.sock', deadlineMs: 300 });
  const error = await refusedBy(nobody);
  assert.deepEqual([error.reason, error.trouble], ['unreachable', true]);
  assert.equal(typeof error.owner, 'string');
  const stranger = await openStranger(t, sayNothing);
  const began = performance.now();
  assert.equal((await refusedBy(guardOn(t, stranger, { deadlineMs: 300 }))).reason, 'unreachable');
  assert.ok(performance.now() - began < 3000);
});

test('a lost answer is asked for again, with the same owner', async (t) => {
  for (const lost of [hangUp, sayNothing, (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-'), answer(502, 'bad gateway')]) {
    const stranger = await openStranger(t, lost, lost, admit);
    const { owner } = await guardOn(t, stranger, { deadlineMs: 2000 }).reserve(claims);
    assert.equal(stranger.questions.length, 3);
    for (const { body } of stranger.questions) assert.equal(body.owner, owner);
  }
});

test('an outcome that is unknown is settled by asking again', async (t) => {
  const stranger = await openStranger(t, answer(503, unknown), admit);
  await guardOn(t, stranger).reserve(claims);
  assert.equal(new Set(stranger.questions.map(({ body }) => body.owner)).size, 1);
  const never = await openStranger(t, answer(503, unknown));
  const error = await refusedBy(guardOn(t, never));
  assert.deepEqual([error.reason, error.trouble], ['outcome_unknown', true]);
  const later = await openStranger(t, answer(503, unknown), hangUp);
  assert.equal((await refusedBy(guardOn(t, later))).trouble, true);
});

test('other trouble is not asked about again', async (t) => {
  const stranger = await openStranger(t, answer(503, { result: 'refused', reason: 'store_unavailable', text: 'gone' }));
  const error = await refusedBy(guardOn(t, stranger));
  assert.deepEqual([error.reason, error.trouble, stranger.questions.length], ['store_unavailable', true, 1]);
});

test('the secret is shown, and a wrong one is told', async (t) => {
  const stranger = await openStranger(t, answer(401, { error: 'unauthorized' }));
  const error = await refusedBy(guardOn(t, stranger, { secret: 'a-secret' }));
  assert.deepEqual([error.reason, error.trouble, stranger.questions.length], ['unauthorized', true, 1]);
  assert.match(stranger.questions[0].head, /\r\nAuthorization: Bearer a-secret\r\n/);
});

test('connections are kept, up to their number', async (t) => {
  const stranger = await openStranger(t, admit);
  const guard = guardOn(t, stranger, { connections: 4 });
  await Promise.all(Array.from({ length: 100 }, () => guard.reserve(claims)));
  assert.equal(stranger.connections, 4);
  for (const socket of stranger.sockets) socket.destroy(); // the service restarts
  await Promise.all(Array.from({ length: 20 }, () => guard.reserve(claims)));
});

// Questions that come while all connections are busy, and what the service says to their group.
async function askInGroup(context, toGroup, count = 5) {
  const release = [];
  const stranger = await openStranger(context, (socket, question) => {
    if (stranger.questions.length === 1) release.push(() => admit(socket, question));
    else (question.body.tokens === undefined ? admit : toGroup)(socket, question);
  });
  const guard = guardOn(context, stranger, { connections: 1 });
  const reserve = (i) => guard.reserve({ ...claims, jti: `${i}`, owner: `owner ${i}` }).then(() => 'admitted', (error) => error.reason);
  const asked = Array.from({ length: count }, (_, i) => reserve(i));
  while (release.length === 0) await new Promise((resolve) => setImmediate(resolve));
  release[0]();
  return { stranger, answers: await Promise.all(asked) };
}

const listOf = (status, one) => (socket, { body }) => answer(status, { results: body.tokens.map(one) })(socket);

test('those that wait go out together, up to a number, and each gets its own answer', async (t) => {
  const { stranger, answers } = await askInGroup(t, listOf(409, ({ jti, owner }) => (jti === '2' ? replayed : admitted(owner))), 40);
  assert.deepEqual(answers.map((one, i) => (one === 'replayed' ? i : -1)).filter((i) => i >= 0), [2]);
  assert.deepEqual(stranger.questions.map(({ body }) => body.tokens?.length ?? 1), [1, 16, 16, 7]);
  const { answers: wrong } = await askInGroup(t, listOf(422, ({ jti, owner }) => (jti === '2' ? { result: 'refused', reason: 'expired' } : admitted(owner))));
  assert.deepEqual(wrong, ['admitted', 'admitted', 'expired', 'admitted', 'admitted']);
});

test('a group without a clear answer is asked again one by one, with the same owners', async (t) => {
  const answers = {
    'one of them cannot be read': answer(422, { result: 'refused', reason: 'malformed_json', text: 'x' }),
    'more than are taken': answer(422, { result: 'refused', reason: 'malformed_batch', text: 'x' }),
    'trouble': listOf(503, () => ({ result: 'refused', reason: 'store_unavailable' })),
    'a lost line': hangUp,
    'too few answers': (socket, { body }) => answer(200, { results: body.tokens.slice(1).map(({ owner }) => admitted(owner)) })(socket),
    'another status': listOf(500, ({ owner }) => admitted(owner)),
    'answers to others': listOf(200, () => admitted('other')),
    'no list': answer(200, { results: 4 }),
  };
  for (const [what, one] of Object.entries(answers)) {
    const { stranger, answers: given } = await askInGroup(t, one);
    assert.deepEqual(given, Array(5).fill('admitted'), what);
    const owners = stranger.questions.filter(({ body }) => body.tokens === undefined).map(({ body }) => body.owner);
    assert.deepEqual([...new Set(owners)].sort(), ['owner 0', 'owner 1', 'owner 2', 'owner 3', 'owner 4'], what);
  }
});

test('who waits for a connection waits no longer than his deadline', async (t) => {
  const stranger = await openStranger(t, sayNothing);
  const guard = guardOn(t, stranger, { connections: 1, deadlineMs: 200 });
  const answers = await Promise.all(Array.from({ length: 20 }, () => guard.isFirstUse(claims)));
  assert.deepEqual(new Set(answers), new Set([false]));
});

test('an answer that nobody asked for ends its connection', async (t) => {
  const stranger = await openStranger(t, admit);
  const guard = guardOn(t, stranger, { connections: 1 });
  await guard.reserve(claims);
  const [socket] = stranger.sockets;
  const gone = new Promise((resolve) => socket.on('close', resolve));
  answer(200, admitted('x'))(socket);
  await gone;
  await guard.reserve({ ...claims, owner: 'y' });
  assert.equal(stranger.connections, 2);
});

test('many are answered in their order', async (t) => {
  const results = (socket, { body }) => answer(409, { results: [admitted(body.tokens[0].owner), replayed, admitted(body.tokens[2].owner)] })(socket);
  const stranger = await openStranger(t, results);
  const decisions = await guardOn(t, stranger).admitMany([claims, claims, claims]);
  assert.deepEqual(decisions.map((one) => one.admitted), [true, false, true]);
  assert.deepEqual(await guardOn(t, stranger).admitMany([]), []);
});

test('many without an answer that fits are none', async (t) => {
  const swapped = (socket, { body }) => answer(200, { results: [admitted(body.tokens[1].owner), admitted(body.tokens[0].owner)] })(socket);
  const short = (socket, { body }) => answer(200, { results: [admitted(body.tokens[0].owner)] })(socket);
  const refused = answer(422, { result: 'refused', reason: 'malformed_batch', text: 'too many' });
  for (const [one, reason] of [[swapped, 'unreadable'], [short, 'unreadable'], [refused, 'malformed_batch'], [hangUp, 'unreachable']]) {
    const decisions = await guardOn(t, await openStranger(t, one)).admitMany([claims, claims]);
    assert.deepEqual(decisions.map((decision) => [decision.admitted, decision.reason]), [[false, reason], [false, reason]]);
  }
});

test('a release is asked once', async (t) => {
  const reservation = { key: 'k', owner: '0'.repeat(32) };
  const stranger = await openStranger(t, answer(200, { released: true, reason: 'ok' }), answer(409, { released: false, reason: 'not_found' }), hangUp);
  const guard = guardOn(t, stranger);
  assert.equal(await guard.release(reservation), true);
  assert.equal(await guard.release(reservation), false);
  await assert.rejects(guard.release(reservation), { name: 'Refused', reason: 'unreachable' });
  assert.equal(stranger.questions.length, 3);
  assert.deepEqual(stranger.questions[0].body, { reservation });
  const odd = await openStranger(t, answer(200, { released: false }), answer(503, { released: false, reason: 'unavailable' }));
  await assert.rejects(guardOn(t, odd).release(reservation), { name: 'Refused', reason: 'unreadable' });
  await assert.rejects(guardOn(t, odd).release(reservation), { name: 'Refused', reason: 'unavailable' });
});

test('a release takes a connection of its own: one that stood idle may be dead', async (t) => {
  const used = new Set();
  const stranger = await openStranger(t, (socket, question) => {
    if (used.has(socket)) hangUp(socket);
    else if (question.route === '/v1/release') answer(200, { released: true, reason: 'ok' })(socket);
    else admit(socket, question);
    used.add(socket);
  });
  const guard = guardOn(t, stranger, { connections: 1 });
  const { reservation } = await guard.reserve(claims);
  assert.equal(await guard.release(reservation), true);
});

test('a connection that has ended takes no question', async (t) => {
  const stranger = await openStranger(t, admit);
  const connection = new Connection({ socket: stranger.socket }, () => {});
  connection.close();
  await assert.rejects(connection.ask('x', 60_000), /ended/);
});

test('options that are none', () => {
  for (const options of [{}, { socket: 's', url: 'http://x' }, { url: 'ftp://x' }, { socket: 's', deadlineMs: 0 }, { socket: 's', deadlineMs: 1e9 },
    { socket: 's', connections: 0 }, { socket: 's', secret: 'a b' }, { socket: 's', secret: 'a\r\nX: y' }])
    assert.throws(() => new Guard(options), TypeError, JSON.stringify(options));
});
