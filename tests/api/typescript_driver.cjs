// Calls a client that openapi-generator made of the description. One JSON object a line: in comes {operation, given, body,
// file}, out goes {send} for each request that the client would send, in comes {status, headers, body} of its answer, and
// out goes {result}, as the client's models have it, or {error}.
const { createInterface } = require("node:readline");
const client = require(process.argv[2]);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => JSON.parse((await lines.next()).value ?? "null");
const write = (what) => process.stdout.write(JSON.stringify(what) + "\n");

async function send(url, init) {
  const asked = new Request(url, init);
  const body = Buffer.from(await asked.arrayBuffer()).toString("base64");
  write({ send: { method: asked.method, url, headers: [...asked.headers], body } });
  const answer = await read();
  const whole = Buffer.from(answer.body, "base64");
  return new Response(whole.length ? whole : null, { status: answer.status, headers: answer.headers });
}

const configuration = new client.Configuration({
  basePath: "http://testserver/api/v1",
  accessToken: process.env.API_KEY,
  apiKey: "signed where it is sent",
  fetchApi: send,
});
const apis = Object.entries(client)
  .filter(([name]) => name.endsWith("Api"))
  .map(([, Api]) => new Api(configuration));

async function call({ operation, given, body, file }) {
  const name = operation.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
  const api = apis.find((each) => typeof each[name] === "function");
  if (file) {
    Object.assign(given, body, { file: new File([Buffer.from(file.content, "base64")], file.name, { type: file.type }) });
  } else if (body) {
    const source = api[`${name}RequestOpts`].toString();
    const { 1: place } = source.match(/body: .*requestParameters\['(\w+)'\]/);
    given[place] = body;
  }
  const result = await api[name](given);
  return result instanceof Blob ? null : result ?? null;
}

(async () => {
  for (let asked = await read(); asked; asked = await read()) {
    try {
      write({ result: await call(asked) });
    } catch (problem) {
      write({ error: String(problem.stack ?? problem) });
    }
  }
})();
