// The client of @hey-api/openapi-ts.
import { checkContract } from './contract.js';
import { client } from './generated/hey-api/client.gen.js';
import { createGeneration, deleteGeneration, getGeneration, getGenerations, getJobs, getVideo, postLumaGenerations } from './generated/hey-api/index.js';

client.setConfig({ baseUrl: process.env.GATEWAY!, headers: { 'X-Api-Key': process.env.CLIENT_KEY! } });

async function read(id: string, prefer?: string) {
  return (await getGeneration({ path: { id }, headers: { Prefer: prefer }, throwOnError: true })).data;
}

await checkContract({
  async get(id) {
    const generation = await read(id);
    return { state: generation.state, video: generation.video?.url, outputs: generation.outputs.length };
  },
  async wait(id, prefer) {
    return (await read(id, prefer)).state;
  },
  async getSeveral(ids) {
    const { data } = await getGenerations({ query: { ids }, throwOnError: true });
    return data.generations.map(item => ({ id: item.id, state: item.generation?.state, problem: item.problem?.code }));
  },
  async downloadVideo(id) {
    return (await getVideo({ path: { id }, throwOnError: true })).data;
  },
  async fail(id) {
    const { error, response } = await getGeneration({ path: { id } });
    if (!error || !response) throw new Error('The request did not fail.');
    return { status: response.status, code: error.code, detail: error.detail };
  },
  async create(body, key, prefer) {
    return (await createGeneration({ headers: { 'Idempotency-Key': key, Prefer: prefer }, body, throwOnError: true })).data;
  },
  async createUnsupported(body) {
    const { error, response } = await createGeneration({ body });
    if (!error || !response) throw new Error('The request did not fail.');
    return { status: response.status, code: error.code, fields: Object.keys(error.errors ?? {}) };
  },
  async failToDelete(id) {
    const { error, response } = await deleteGeneration({ path: { id } });
    if (!error || !response) throw new Error('The request did not fail.');
    return { status: response.status, code: error.code };
  },
  async createRaw(prompt, key) {
    return (await postLumaGenerations({ headers: { 'Idempotency-Key': key }, body: { user_prompt: prompt }, throwOnError: true })).data.id;
  },
  async listJobs(from, limit) {
    return (await getJobs({ query: { state: 'completed', from, limit }, throwOnError: true })).data.jobs.map(job => job.id);
  },
});
