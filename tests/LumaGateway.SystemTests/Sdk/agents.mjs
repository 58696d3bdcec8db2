// The requests of luma-agents, Luma's TypeScript SDK for the Agents API, which npm does not serve: its paths, headers and retries, written anew.
// LUMA_BASE_URL contains the whole root, so the SDK works with <gateway>/luma.
import assert from 'node:assert/strict';
import { check, clearFaults, complete, countRequests, fail, gateway, key, reset } from './suite.mjs';

const base = `${gateway}/luma`;
const maxRetries = 2;

const headersOf = (authorization, attempt) => ({
  Accept: 'application/json',
  'User-Agent': 'Luma/JS 0.3.0',
  'X-Stainless-Retry-Count': String(attempt),
  'X-Stainless-Lang': 'js',
  'X-Stainless-Package-Version': '0.3.0',
  'X-Stainless-OS': 'Linux',
  'X-Stainless-Arch': 'x64',
  'X-Stainless-Runtime': 'node',
  'X-Stainless-Runtime-Version': process.version,
  Authorization: authorization,
});

const mayRetry = ({ status, headers }) => headers.get('x-should-retry') === 'true'
  || (headers.get('x-should-retry') !== 'false' && ([408, 409, 429].includes(status) || status >= 500));

const delayOf = ({ headers }) => Number(headers.get('retry-after-ms')) || 1000 * Number(headers.get('retry-after')) || 500;

async function send(method, path, body, authorization = `Bearer ${key}`) {
  for (let attempt = 0; ; attempt++) {
    const headers = headersOf(authorization, attempt);
    if (body !== undefined) headers['content-type'] = 'application/json';
    const response = await fetch(base + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    if (response.ok) return { response, data: await response.json(), attempt };
    const problem = await response.json();
    if (attempt === maxRetries || !mayRetry(response)) throw Object.assign(new Error(problem.detail), { status: response.status, headers: response.headers, problem, attempt });
    await new Promise((resolve) => setTimeout(resolve, delayOf(response)));
  }
}

async function expectError(promise, status) {
  const error = await promise.then(() => assert.fail('the request did not fail'), (error) => error);
  assert.equal(error.status, status, error.message);
  return error;
}

const create = (body) => send('POST', '/generations', body);
const get = (id) => send('GET', `/generations/${encodeURIComponent(id)}`);

let id;
await check('create an image', async () => {
  const { data, response } = await create({ prompt: 'a cat', model: 'uni-1', type: 'image', aspect_ratio: '16:9' });
  assert.deepEqual([data.state, data.type, data.output], ['queued', 'image', []]);
  assert.ok(response.headers.get('x-ratelimit-remaining'));
});
await check('create a video with options', async () => {
  const { data } = await create({ prompt: 'a cat dancing', model: 'ray-3.2', type: 'video', video: { duration: '5s', resolution: '720p' } });
  id = data.id;
  return data.model;
});
await check('get until completed', async () => {
  assert.equal((await get(id)).data.state, 'queued');
  await complete(id);
  const { data } = await get(id);
  assert.equal(data.state, 'completed');
  assert.match(data.output[0].url, /X-Amz-Signature/);
});
await check('404', async () => (await expectError(get('unknown'), 404)).problem.detail);
await check('401', async () => (await expectError(send('GET', `/generations/${id}`, undefined, 'Bearer wrong'), 401)).problem.code);
await check('a 429 is retried after retry-after-ms', async () => {
  await fail({ kind: 'status', status: 429, retryAfterMs: 1500, match: 'POST */generations', count: 1 });
  const start = performance.now();
  const { attempt } = await create({ prompt: 'a cat' });
  const elapsed = performance.now() - start;
  assert.equal(attempt, 1);
  assert.ok(elapsed >= 1490, `${elapsed} ms`); // a timer may be early by a millisecond
});
for (const fault of [{ kind: 'reset' }, { kind: 'status', status: 500 }, { kind: 'truncated' }]) {
  await check(`a create whose outcome is unknown (${fault.kind}) is sent once`, async () => {
    await fail({ ...fault, match: 'POST */generations' });
    await reset();
    const error = await create({ prompt: 'a cat' }).then(() => assert.fail('the request did not fail'), (error) => error);
    assert.equal(await countRequests(), 1);
    await clearFaults();
    return error.status;
  });
}
