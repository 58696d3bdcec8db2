// The types of openapi-typescript with its client, openapi-fetch.
import createClient from 'openapi-fetch';
import { checkContract } from './contract.js';
import type { paths } from './generated/openapi-typescript.js';

const client = createClient<paths>({ baseUrl: process.env.GATEWAY!, headers: { 'X-Api-Key': process.env.CLIENT_KEY! } });

async function read(id: string, prefer?: string) {
  const { data, error } = await client.GET('/generations/{id}', { params: { path: { id }, header: { Prefer: prefer } } });
  if (!data) throw new Error(error.detail ?? error.title);
  return data;
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
    const { data, error } = await client.GET('/generations', { params: { query: { ids } } });
    if (!data) throw new Error(error.title);
    return data.generations.map(item => ({ id: item.id, state: item.generation?.state, problem: item.problem?.code }));
  },
  async downloadVideo(id) {
    const { data, error } = await client.GET('/generations/{id}/video', { params: { path: { id } }, parseAs: 'blob' });
    if (!data) throw new Error(error.title);
    return data;
  },
  async fail(id) {
    const { error, response } = await client.GET('/generations/{id}', { params: { path: { id } } });
    if (!error) throw new Error('The request did not fail.');
    return { status: response.status, code: error.code, detail: error.detail };
  },
  async create(body, key, prefer) {
    const { data, error } = await client.POST('/generations', { params: { header: { 'Idempotency-Key': key, Prefer: prefer } }, body });
    if (!data) throw new Error(error.detail ?? error.title);
    return data;
  },
  async createUnsupported(body) {
    const { error, response } = await client.POST('/generations', { body });
    if (!error) throw new Error('The request did not fail.');
    return { status: response.status, code: error.code, fields: Object.keys(error.errors ?? {}) };
  },
  async failToDelete(id) {
    const { error, response } = await client.DELETE('/generations/{id}', { params: { path: { id } } });
    if (!error) throw new Error('The request did not fail.');
    return { status: response.status, code: error.code };
  },
  async createRaw(prompt, key) {
    const { data, error } = await client.POST('/luma/generations', { params: { header: { 'Idempotency-Key': key } }, body: { user_prompt: prompt } });
    if (!data) throw new Error(JSON.stringify(error));
    return data.id;
  },
  async listJobs(from, limit) {
    const { data, error } = await client.GET('/jobs', { params: { query: { state: 'completed', from, limit } } });
    if (!data) throw new Error(error.detail ?? error.title);
    return data.jobs.map(job => job.id);
  },
});
