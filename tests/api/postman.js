// Postman's own globals, as far as the collection's script asks for them; the script itself is run as it is written.
// stdin: {script, variables, at, request: {method, path, body}}; stdout: the headers that the script sets.
const crypto = require("crypto");
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const headers = {};
const resolved = (text) =>
    text.replace(/{{\$guid}}/g, () => crypto.randomUUID()).replace(/{{(\w+)}}/g, (_, name) => given.variables[name]);
const pm = {
    variables: { get: (name) => given.variables[name], replaceIn: resolved },
    request: {
        method: given.request.method,
        body: given.request.body === null ? undefined : { raw: given.request.body },
        url: { getPathWithQuery: () => given.request.path },
        headers: { upsert: ({ key, value }) => { headers[key] = value; } },
    },
};
const CryptoJS = {
    SHA256: (text) => crypto.createHash("sha256").update(text, "utf8").digest("hex"),
    HmacSHA256: (text, secret) => crypto.createHmac("sha256", secret).update(text, "utf8").digest("hex"),
};
Date.now = () => given.at * 1000;
new Function("pm", "CryptoJS", given.script)(pm, CryptoJS);
console.log(JSON.stringify(headers));
