// Logs people in to a real service by a real OpenID provider (oidc-provider), over TLS and through every redirection, as a browser would: who is let in, who is
// not, answers that are replayed or brought by another browser, keys that the provider changes, a second factor that is demanded, a provider that is down.
//
//   node flow.mjs ARCHIVER
import { spawn, spawnSync } from "node:child_process";
import { createHmac, generateKeyPairSync, randomUUID } from "node:crypto";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:https";
import { createServer as createProbe } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";
import Provider from "oidc-provider";
import { chromium } from "playwright-core";

const [archiver] = process.argv.slice(2);
const place = mkdtempSync(join(tmpdir(), "fumikura-openid-"));
const free = () => new Promise((done) => {
  const probe = createProbe().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => done(port));
  });
});
const [port, monitors, providerPort] = [await free(), await free(), await free()];
const base = `https://localhost:${port}`;
// Another site than the service, as it is in companies: a port alone would not make it one.
const issuer = `https://127.0.0.1:${providerPort}`;

function run(program, ...words) {
  const ended = spawnSync(program, words, { cwd: place, encoding: "utf8" });
  assert.equal(ended.status, 0, `${words.join(" ")}: ${ended.stdout}${ended.stderr}`);
  return ended.stdout;
}

// An authority of our own for the provider's certificate: the service trusts it for the provider alone.
const usual = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
run("openssl", "req", "-x509", ...usual, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test Authority", "-addext", "basicConstraints=critical,CA:TRUE");
run("openssl", "req", "-x509", ...usual, "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "id.key", "-out", "id.pem", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE");

// The provider: whoever comes is asked for a name and for the methods by which it shall say that it knows him.
const secret = randomUUID();
let server;
async function provide() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const provider = new Provider(issuer, {
    clients: [{ client_id: "fumikura", client_secret: secret, redirect_uris: [`${base}/login/openid/callback`] }],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" }] },
    cookies: { keys: [randomUUID()] },
    claims: { openid: ["sub", "acr", "amr"] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  });
  const answer = provider.callback();
  const options = { key: readFileSync(join(place, "id.key")), cert: readFileSync(join(place, "id.pem")) };
  server = createServer(options, async (incoming, outgoing) => {
    const address = new URL(incoming.url, issuer);
    if (!address.pathname.startsWith("/interaction/")) return answer(incoming, outgoing);
    const person = address.searchParams.get("person");
    if (!person) return outgoing.setHeader("content-type", "text/html").end('<a href="?person=u-1001&amr=pwd">u-1001</a>');
    if (person === "nobody") return provider.interactionFinished(incoming, outgoing, { error: "access_denied" });
    const { prompt } = await provider.interactionDetails(incoming, outgoing);
    const grant = new provider.Grant({ accountId: person, clientId: "fumikura" });
    grant.addOIDCScope("openid");
    const login = { accountId: person, amr: (address.searchParams.get("amr") ?? "").split(" ").filter(Boolean) };
    assert.ok(["login", "consent"].includes(prompt.name), prompt.name);
    return provider.interactionFinished(incoming, outgoing, { login, consent: { grantId: await grant.save() } });
  });
  await new Promise((done) => server.listen(providerPort, "127.0.0.1", done));
}
async function close() {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
}

/** A browser without a screen: it keeps cookies for each host and port, and follows nothing by itself. */
class Browser {
  jars = {};
  ask(address, { method = "GET", headers = {}, body } = {}) {
    const url = new URL(address);
    const jar = (this.jars[url.host] ??= {});
    const cookie = Object.entries(jar).map(([name, value]) => `${name}=${value}`).join("; ");
    return new Promise((done, failed) => {
      const asked = request(url, { method, agent: false, rejectUnauthorized: false, headers: { ...(cookie && { cookie }), ...(body && { "content-length": Buffer.byteLength(body) }), "accept-language": "en", ...headers } }, (answer) => {
        let text = "";
        answer.on("data", (data) => (text += data));
        answer.on("end", () => {
          const set = answer.headers["set-cookie"] ?? [];
          for (const one of set) {
            const [, name, value] = /^([^=]+)=([^;]*)/.exec(one);
            if (/max-age=0|expires=thu, 01 jan 1970/i.test(one)) delete jar[name];
            else jar[name] = value;
          }
          const next = answer.headers.location && new URL(answer.headers.location, url).href;
          done({ status: answer.statusCode, headers: answer.headers, set, text, next });
        });
      });
      asked.on("error", failed);
      asked.end(body);
    });
  }
  /** From our page to the provider and through it; ends before the way back to us is gone. */
  async begin(person, amr = "pwd") {
    const begun = await this.ask(`${base}/login/openid`);
    assert.equal(begun.status, 303, begun.text);
    for (const word of ["__Host-fumikura-openid=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"]) assert.ok(begun.set[0].includes(word), begun.set[0]);
    const asked = new URL(begun.next).searchParams;
    assert.deepEqual([asked.get("response_type"), asked.get("code_challenge_method"), asked.get("scope")], ["code", "S256", "openid"]);
    let { next } = begun;
    for (let steps = 0; steps < 12; steps++) {
      if (next.startsWith(`${base}/`)) return next;
      const url = new URL(next);
      if (url.pathname.startsWith("/interaction/")) url.search = new URLSearchParams({ person, amr });
      const answer = await this.ask(url.href);
      assert.ok(answer.next, `${url}: ${answer.status} ${answer.text}`);
      ({ next } = answer);
    }
    assert.fail("the provider goes round in circles");
  }
}

function code(secret) {
  const bits = [...secret.replaceAll(/[\s=]/g, "")].map((one) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(one).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
  const mac = createHmac("sha1", key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).padStart(6, "0");
}

// An archive, two administrators, and the part of the configuration.
writeFileSync(join(place, "pass"), "a passphrase for trying out\n");
writeFileSync(join(place, "openid.secret"), `${secret}\n`);
const common = ["--passphrase-file", "pass", "--lang", "en"];
run(archiver, ...common, "init", "--data", "a", "--data", "b", "--keys", "k", "--evaluation");
const prepared = run(archiver, ...common, "--json", "service", "prepare", "--listen", `127.0.0.1:${port}`, "--administrator", "sato=佐藤 花子", "--administrator", "suzuki=Ichiro Suzuki");
const first = Object.fromEntries(prepared.split("\n").filter(Boolean).map((line) => JSON.parse(line)).filter((one) => one.event === "first-password").map((one) => [one.account, one.password]));
const configuration = join(place, "fumikura.toml");
const part = `\n[service.https.openid]\nissuer = "${issuer}"\nclient_id = "fumikura"\nclient_secret_file = "openid.secret"\npublic_url = "${base}"\nlabel = "Example ID"\ntls_roots = "ca.pem"\n`;
appendFileSync(configuration, part);

let service;
let told = "";
async function serve() {
  told = "";
  service = spawn(archiver, [...common, "serve", "--listen", `127.0.0.1:${monitors}`], { cwd: place, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [service.stdout, service.stderr]) stream.on("data", (data) => (told += data));
  for (let tries = 0; !told.includes('"serving"'); tries++) {
    assert.ok(tries < 600 && service.exitCode === null, `the service did not start: ${told}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
async function stop() {
  const ended = new Promise((done) => service.on("exit", done));
  service.kill("SIGTERM");
  assert.equal(await ended, 0, told);
}
process.on("exit", () => {
  service?.kill("SIGKILL");
  rmSync(place, { recursive: true, force: true });
});

const machine = new Browser();
async function api(method, path, token, body) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await machine.ask(`${base}/api/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
  return { status: answer.status, ...(answer.text && JSON.parse(answer.text)) };
}
async function settle(name, password) {
  const changed = `Kumo to hoshi 9 ${[...name].reverse().join("")}`;
  let { token } = await api("POST", "session", null, { name, password });
  ({ token } = await api("POST", "session/password", token, { old: password, new: changed }));
  const shown = await api("POST", "session/authenticator", token);
  const full = await api("PUT", "session/authenticator", token, { code: code(shown.secret) });
  assert.equal(full.standing, "full", JSON.stringify(full));
  return full.token;
}

await provide();
await serve();
const sato = await settle("sato", first.sato);
const suzuki = await settle("suzuki", first.suzuki);
async function join_(account, roles, openid) {
  const asked = await api("POST", "people/requests", sato, { account, display_name: account, kind: "person", roles, openid, reason: "new" });
  assert.equal(asked.status, 201, JSON.stringify(asked));
  const approved = await api("POST", `people/requests/${asked.request}/approval`, suzuki);
  assert.equal(approved.status, 200, JSON.stringify(approved));
  return approved.password;
}
await join_("hanako", ["retriever"], "u-1001");

const refused = async (browser, address, what, status = 401) => {
  const answer = await browser.ask(address);
  assert.equal(answer.status, status, answer.text);
  assert.ok(answer.text.includes(what), answer.text);
  assert.ok(!answer.set.some((one) => one.startsWith("__Host-fumikura=")), "no session");
  return answer;
};

// The page leads to the provider, and back in.
const page = await new Browser().ask(`${base}/login`);
assert.ok(page.text.includes("Log in with Example ID") && page.text.includes('href="/login/openid"'), page.text);
const hanako = new Browser();
const back = await hanako.begin("u-1001");
const inside = await hanako.ask(back);
assert.equal(inside.status, 200, inside.text);
assert.equal(inside.headers.refresh, "0;url=/");
assert.ok(inside.set.some((one) => one.startsWith("__Host-fumikura=") && one.includes("SameSite=Strict")), inside.set.join("\n"));
const home = await hanako.ask(`${base}/`);
assert.ok(home.status === 200 && home.text.includes("hanako"), home.text);
console.log("in: a person whom the provider names");

// The same in a real browser, which keeps the session's cookie back on the way from another site: the page at its end leads on.
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
if (existsSync(executablePath)) {
  const real = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const page = await (await real.newContext({ ignoreHTTPSErrors: true, locale: "ja-JP" })).newPage();
  await page.goto(`${base}/login`);
  await page.getByText("Example ID でログイン").click();
  await page.getByText("u-1001").click();
  await page.waitForURL(`${base}/`);
  assert.equal(await page.locator(".who bdi").innerText(), "hanako");
  await real.close();
  console.log("in: the same in Chromium");
} else console.log("left out: the same in Chromium, which is not installed");

// The same answer again, and another browser's.
await refused(hanako, back, "was used already");
const [mallory, victim] = [new Browser(), new Browser()];
const stolen = await mallory.begin("u-1001");
await refused(victim, stolen, "not begun in this browser");
await victim.begin("u-1001");
await refused(victim, stolen, "not begun in this browser");
const swapped = new URL(await victim.begin("u-1001"));
swapped.searchParams.set("code", new URL(await mallory.begin("u-1001")).searchParams.get("code"));
await refused(victim, swapped.href, "does not confirm this log-in");
const foreign = new URL(await victim.begin("u-1001"));
foreign.searchParams.set("iss", "https://evil.example");
await refused(victim, foreign.href, "cannot be verified");
await refused(new Browser(), `${base}/login/openid/callback`, "begin it again");
console.log("out: answers replayed, stolen, swapped and of another issuer");

// Whom nobody registered, who declined, and who is suspended.
const stranger = new Browser();
await refused(stranger, await stranger.begin("u-9999"), "ask an administrator");
assert.ok(!(await api("GET", "people", sato)).accounts.some((one) => one.openid === "u-9999"), "the provider makes no accounts");
await refused(new Browser(), `${base}/login/openid/callback?error=access_denied&state=x`, "begin it again");
const declining = new Browser();
await refused(declining, await declining.begin("nobody"), "access_denied");
const suspension = await api("POST", "people/hanako/suspension", sato, { reason: "on leave" });
assert.equal(suspension.status, 200);
assert.equal((await hanako.ask(`${base}/`)).next, `${base}/login?ended=1`, "the session ended");
await refused(hanako, await hanako.begin("u-1001"), "ask an administrator");
assert.equal((await api("DELETE", "people/hanako/suspension", sato, { reason: "back" })).status, 200);
console.log("out: strangers, who declines, who is suspended");

// The provider is down: the page says so, and passwords still work. Then it is back with other keys.
await close();
const waiting = await new Browser().ask(`${base}/login`);
assert.ok(waiting.status === 200 && waiting.text.includes('name="password"'));
await stop();
await serve();
await refused(new Browser(), `${base}/login/openid`, "cannot be reached: log in with your password below", 503);
await provide();
const again = new Browser();
assert.equal((await again.ask(await again.begin("u-1001"))).status, 200);
await close();
await provide();
// Keys that were read moments ago are not read again for each token that does not fit them.
await refused(again, await again.begin("u-1001"), "openid-token-unknown-key");
await new Promise((done) => setTimeout(done, 31_000));
assert.equal((await again.ask(await again.begin("u-1001"))).status, 200, "the new keys");
console.log("down, back, and with other keys");

// A second factor at the provider.
await stop();
writeFileSync(configuration, readFileSync(configuration, "utf8").replace("label =", 'amr = ["mfa"]\nlabel ='));
await serve();
const weak = new Browser();
await refused(weak, await weak.begin("u-1001", "pwd"), "not enough");
const strong = new Browser();
assert.equal((await strong.ask(await strong.begin("u-1001", "pwd mfa"))).status, 200);
console.log("in: with the second factor that is demanded, and not without");

// What the audit trail knows of all this.
await stop();
run(archiver, ...common, "audit", "export", "--output", "trail.jsonl");
const trail = readFileSync(join(place, "trail.jsonl"), "utf8");
for (const reason of ["openid-state-unknown", "openid-state-elsewhere", "openid-code", "openid-token-issuer", "openid-token-unknown-key", "openid-token-authentication", "openid-declined", "unknown", "not-active"]) {
  assert.ok(trail.includes(`"${reason}"`), `${reason}: ${trail}`);
}
await close();
console.log("on record: each refusal with its reason");
