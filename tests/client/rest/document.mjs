// The OpenAPI document, and the page that shows it.
import assert from 'node:assert/strict';
import { request } from '../support/raw.mjs';

const METHODS = ['get', 'post', 'patch', 'delete'];

const documentOf = async (server) => JSON.parse((await request(server, '/api/openapi.json')).body);

export default {
  'every route is in the document, and says who may ask and what they are answered': async ({ server }) => {
    const { openapi, paths, components } = await documentOf(server);
    assert.match(openapi, /^3\.1\./);
    const operations = Object.entries(paths).flatMap(([path, item]) => METHODS.filter((method) => item[method]).map((method) => [path, method, item[method]]));
    assert.ok(operations.length >= 37, String(operations.length));
    assert.equal(new Set(operations.map(([, , { operationId }]) => operationId)).size, operations.length);
    for (const [path, method, { summary, tags, responses, security, parameters = [] }] of operations) {
      const where = `${method} ${path}`;
      assert.ok(summary && tags.length === 1, where);
      const codes = Object.keys(responses);
      assert.ok(codes.some((code) => code.startsWith('2')), where);
      for (const code of ['403', '429', '500', '503']) assert.equal(responses[code].$ref.split('/').at(-2), 'responses', `${where}: ${code}`);
      assert.equal(codes.includes('401') || security === undefined, true, where);
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      assert.deepEqual(parameters.filter((one) => one.in === 'path').map(({ name }) => name).sort(), named.sort(), where);
    }
    assert.ok(components.responses.TooMany.headers['Retry-After']);
  },

  'ids are integers or texts, times are times': async ({ server }) => {
    const { components: { schemas } } = await documentOf(server);
    for (const name of ['UserId', 'RoomId', 'ClientId']) assert.deepEqual(schemas[name].oneOf.map(({ type }) => type), ['integer', 'string'], name);
    assert.deepEqual([schemas.Timestamp.type, schemas.Timestamp.format], ['string', 'date-time']);
    assert.deepEqual(schemas.ErrorBody.required.sort(), ['code', 'message', 'success']);
  },

  'every route that is there answers as itself': async ({ server }) => {
    const { paths } = await documentOf(server);
    for (const [path, item] of Object.entries(paths)) {
      for (const method of METHODS.filter((one) => item[one])) {
        const { status } = await request(server, path.replace(/\{\w+\}/g, 'x'), { method: method.toUpperCase() });
        assert.ok(![404, 405].includes(status), `${method} ${path}: ${status}`);
      }
    }
  },

  'the page comes with its files, and may load nothing else': async ({ server }) => {
    const { status, headers } = await request(server, '/api/docs');
    assert.deepEqual([status, headers.location], [308, 'docs/']);
    const page = await fetch(`${server.url}/api/docs/`);
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-type'), /^text\/html/);
    const policy = page.headers.get('content-security-policy');
    assert.match(policy, /default-src 'none'; script-src 'self';/);
    const html = await page.text();
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file);
    assert.ok(files.length >= 4, html);
    for (const file of files) {
      assert.ok(!/^(https?:)?\/\//.test(file), file);
      assert.equal((await fetch(new URL(file, `${server.url}/api/docs/`))).status, 200, file);
    }
    assert.equal((await request(server, '/api/docs/nothing.js')).status, 404);
  },
};
