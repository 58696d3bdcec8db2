// Luma's official SDK, unmodified, against the gateway. LUMAAI_BASE_URL and LUMAAI_API_KEY are its only configuration.
import assert from 'node:assert/strict';
import LumaAI from 'lumaai';
import { check, clearFaults, countRequests, errorOf, fail, reset, sandbox } from './suite.mjs';

const client = new LumaAI();
const request = { model: 'ray-2', prompt: 'a cat dancing', aspect_ratio: '16:9' };

async function expectError(promise, status) {
  const error = await errorOf(promise);
  assert.equal(error.status, status, error.message);
  return error;
}

let id;
await check('ping', async () => (await client.ping.check()).message);
await check('credits', async () => (await client.credits.get()).credit_balance);
await check('concepts', async () => (await client.generations.concepts.list()).length);
await check('create a video', async () => {
  const made = await client.generations.create(request);
  id = made.id;
  assert.equal(made.state, 'queued');
  assert.equal(made.request.prompt, request.prompt);
  return made.state;
});
await check('create an image', async () => (await client.generations.image.create({ model: 'photon-1', prompt: 'a cat' })).generation_type);
await check('get', async () => {
  const read = await client.generations.get(id);
  assert.equal(read.id, id);
  return read.state;
});
await check('list', async () => {
  const page = await client.generations.list({ limit: 10 });
  assert.ok(page.generations.some((generation) => generation.id === id));
  return page.count;
});
await check('upscale, audio', async () => {
  await client.generations.upscale(id, { resolution: '4k' });
  await client.generations.audio(id, { prompt: 'meow' });
});
await check('modify, reframe', async () => {
  const media = { url: 'http://127.0.0.1:9/video.mp4' };
  const modified = await client.generations.video.modify({ generation_type: 'modify_video', media, mode: 'flex_1', model: 'ray-2', prompt: 'a dog' });
  const video = await client.generations.video.reframe({ generation_type: 'reframe_video', aspect_ratio: '1:1', media, model: 'ray-2' });
  const image = await client.generations.image.reframe({ generation_type: 'reframe_image', aspect_ratio: '1:1', media, model: 'photon-1' });
  return [modified, video, image].map((made) => made.request.generation_type).join(', ');
});
await check('delete', async () => {
  await client.generations.delete(id);
});
await check('404', async () => {
  const error = await expectError(client.generations.get(id), 404);
  assert.ok(error instanceof LumaAI.NotFoundError);
  return `${error.constructor.name}, ${error.error.detail}`;
});
await check('401', async () => {
  const error = await expectError(new LumaAI({ authToken: 'wrong' }).ping.check(), 401);
  assert.ok(error instanceof LumaAI.AuthenticationError);
  return `${error.constructor.name}, ${error.error.code}`;
});
await check('422', async () => {
  const error = await expectError(client.generations.create([]), 422);
  assert.ok(error instanceof LumaAI.UnprocessableEntityError);
  return `${error.constructor.name}, ${error.error.detail[0].msg}`;
});
await check('a 429 with retry-after-ms is retried after that time', async () => {
  await fail({ kind: 'status', status: 429, retryAfterMs: 1500, match: 'GET */credits', count: 1 });
  const start = performance.now();
  await client.credits.get();
  const elapsed = performance.now() - start;
  assert.ok(elapsed >= 1490, `${elapsed} ms`); // without the header the SDK retries after half a second; a timer may be early by a millisecond
});
for (const fault of [{ kind: 'reset' }, { kind: 'status', status: 500 }, { kind: 'status', status: 504 }, { kind: 'truncated' }]) {
  await check(`a create whose outcome is unknown (${fault.kind} ${fault.status ?? ''}) is sent once`, async () => {
    await clearFaults();
    await fail({ ...fault, match: 'POST */generations/video' });
    await reset();
    const error = await errorOf(client.generations.create(request));
    assert.equal(await countRequests(), 1);
    await clearFaults();
    return error.status ? `${error.status}, x-should-retry: ${error.headers['x-should-retry']}` : error.constructor.name;
  });
}
await check('the SDK retries a create that the upstream rejected', async () => {
  await clearFaults();
  await fail({ kind: 'status', status: 429, retryAfterMs: 10, match: 'POST */generations/video', count: 1 });
  await reset();
  await client.generations.create(request);
  assert.equal(await countRequests(), 2);
});
await check('two creates with one Idempotency-Key are sent once', async () => {
  await reset();
  const headers = { 'Idempotency-Key': `k-${Date.now()}` };
  const first = await client.generations.create(request, { headers }).withResponse();
  const second = await client.generations.create(request, { headers }).withResponse();
  assert.equal(first.data.id, second.data.id);
  assert.equal(await countRequests(), 1);
  const error = await expectError(client.generations.create({ ...request, prompt: 'a dog' }, { headers }), 422);
  return `Idempotency-Replayed: ${second.response.headers.get('idempotency-replayed')}; another body: ${error.error.code}`;
});
const callbackUrlOf = async (id) => (await (await fetch(`${sandbox}/dream-machine/v1/generations/${id}`, {
  headers: { authorization: `Bearer ${process.env.SANDBOX_TOKEN}` } })).json()).request.callback_url;
await check('the upstream gets a callback_url and the SDK gets no secret', async () => {
  const headers = { 'Idempotency-Key': `c-${Date.now()}` };
  const made = await client.generations.create(request, { headers });
  const again = await client.generations.create(request, { headers });
  const read = await client.generations.get(made.id);
  const page = await client.generations.list({ limit: 10 });
  assert.equal(again.id, made.id);
  assert.match(await callbackUrlOf(made.id), /\/callbacks\/luma\/[A-Za-z0-9_-]{38}$/);
  assert.ok(page.generations.length > 1);
  for (const seen of [made, again, read, page]) assert.ok(!JSON.stringify(seen).includes('secret-of-the-sdk-test'));
});
await check("the caller's own callback_url is forwarded and returned", async () => {
  const made = await client.generations.create({ ...request, callback_url: 'http://127.0.0.1:9/mine' });
  assert.equal(await callbackUrlOf(made.id), 'http://127.0.0.1:9/mine');
  return made.request.callback_url;
});
await check('large bodies are forwarded in both directions', async () => {
  const key = 'ü'.repeat(4 * 1024 * 1024);
  const made = await client.generations.create({ ...request, concepts: [{ key }] });
  const read = await client.generations.get(made.id);
  assert.equal(read.request.concepts[0].key, key);
  return `${Buffer.byteLength(key)} bytes`;
});
