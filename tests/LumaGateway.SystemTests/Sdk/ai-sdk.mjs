// @ai-sdk/luma, unmodified, against the gateway. It adds /dream-machine/v1 to its base address by itself.
import assert from 'node:assert/strict';
import { createLuma } from '@ai-sdk/luma';
import { check, clearFaults, complete, countRequests, errorOf, fail, gateway, key, reset, sandbox } from './suite.mjs';

// The SDK downloads files from public hosts only. Its own option `fetch` sends requests for the host of the links to the sandbox.
const links = 'http://cdn.example.com';
const requests = [];
const luma = createLuma({
  baseURL: `${gateway}/luma`,
  apiKey: key,
  fetch: (input, init) => {
    requests.push(`${init?.method ?? 'GET'} ${new URL(input).pathname}`);
    return fetch(String(input).replace(links, sandbox), init);
  },
});
const options = { prompt: 'a cat dancing', n: 1, aspectRatio: '16:9', providerOptions: { luma: { pollIntervalMillis: 50, maxPollAttempts: 1000 } }, headers: {} };
const generate = (more = {}) => luma.image('photon-1').doGenerate({ ...options, ...more });

async function completeNext() {
  for (;;) {
    const polled = requests.map((request) => /^GET .*\/generations\/([^/]+)$/.exec(request)).find((match) => match);
    if (polled) return complete(polled[1]);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

await check('an image is created, polled and downloaded', async () => {
  const [made] = await Promise.all([generate(), completeNext()]);
  assert.equal(requests[0], 'POST /luma/dream-machine/v1/generations/image');
  assert.match(requests[1], /^GET \/luma\/dream-machine\/v1\/generations\/[0-9a-f-]{36}$/);
  const [image] = made.images;
  assert.deepEqual([...image.slice(0, 2)], [0xff, 0xd8]);
  return `${image.length} bytes`;
});
await check('reference images are forwarded', async () => {
  requests.length = 0;
  const files = [{ type: 'url', url: 'https://example.com/cat.jpg' }];
  const [made] = await Promise.all([generate({ files }), completeNext()]);
  assert.equal(made.warnings.length, 0);
});
await check('a wrong client key is an error with status 401', async () => {
  const error = await errorOf(createLuma({ baseURL: `${gateway}/luma`, apiKey: 'wrong' }).image('photon-1').doGenerate(options));
  assert.equal(error.statusCode, 401);
});
await check('an error of the upstream reaches the caller', async () => {
  await fail({ kind: 'status', status: 422, match: 'POST */generations/image', count: 1 });
  const error = await errorOf(generate());
  assert.equal(error.statusCode, 422);
  return error.message;
});
await check('a create whose outcome is unknown is sent once', async () => {
  await fail({ kind: 'reset', match: 'POST */generations/image' });
  await reset();
  const error = await errorOf(generate());
  assert.equal(error.statusCode, 502);
  assert.equal(await countRequests(), 1);
  await clearFaults();
});
