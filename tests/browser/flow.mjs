// Drives a real Chromium over the pages of a real service, in both languages: first log-in with second factor, accounts asked for and approved by a second
// person, deposits, search, verification, evidence, an inspector's period, lock-out, the audit trail. Screenshots of each page go to a folder.
//
//   node flow.mjs ARCHIVER VERIFIER FOLDER
import { spawn, spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [archiver, verifier, shots] = process.argv.slice(2);
const place = mkdtempSync(join(tmpdir(), "fumikura-browser-"));
mkdirSync(shots, { recursive: true });

const port = await new Promise((done) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => done(port));
  });
});
const monitors = port === 65535 ? port - 1 : port + 1;
const base = `https://localhost:${port}`;

function run(program, ...words) {
  const ended = spawnSync(program, words, { cwd: place, encoding: "utf8" });
  assert.equal(ended.status, 0, `${words.join(" ")}: ${ended.stdout}${ended.stderr}`);
  return ended.stdout;
}

function code(secret, step = 0) {
  const bits = [...secret.replaceAll(/[\s=]/g, "")].map((one) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(one).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + step));
  const mac = createHmac("sha1", key).update(counter).digest();
  const offset = mac[19] & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1000000).padStart(6, "0");
}

writeFileSync(join(place, "pass"), "a passphrase for trying out\n");
const common = ["--passphrase-file", "pass", "--lang", "en"];
run(archiver, ...common, "init", "--data", "a", "--data", "b", "--keys", "k", "--evaluation");
const prepared = run(archiver, ...common, "--json", "service", "prepare", "--listen", `127.0.0.1:${port}`, "--administrator", "sato=佐藤 花子", "--administrator", "suzuki=Ichiro Suzuki");
const first = Object.fromEntries(prepared.split("\n").filter(Boolean).map((line) => JSON.parse(line)).filter((one) => one.event === "first-password").map((one) => [one.account, one.password]));
assert.equal(Object.keys(first).length, 2);

// libfaketime moves the wall clock of the service alone, by what stands in a file.
const library = process.env.FAKETIME_LIBRARY;
const clock = library ? join(place, "clock") : null;
if (clock) writeFileSync(clock, "+0");
const moved = clock ? { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1" } : {};
const service = spawn(archiver, [...common, "serve", "--listen", `127.0.0.1:${monitors}`], { cwd: place, env: { ...process.env, ...moved }, stdio: ["ignore", "pipe", "pipe"] });
let told = "";
for (const stream of [service.stdout, service.stderr]) stream.on("data", (data) => (told += data));
process.on("exit", () => service.kill("SIGKILL"));
for (let tries = 0; !told.includes('"serving"'); tries++) {
  assert.ok(tries < 600, `the service did not start: ${told}`);
  await new Promise((done) => setTimeout(done, 100));
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const secrets = {};
const passwords = {};

/** Somebody's browser. What the browser says of broken policies, scripts and addresses is a failure. */
async function sit(locale, scheme = "light", viewport = { width: 1280, height: 900 }) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale, colorScheme: scheme, viewport, acceptDownloads: true });
  const page = await context.newPage();
  page.on("pageerror", (error) => { throw error; });
  page.on("console", (line) => { if (line.type() === "error" && !/status of 4\d\d/.test(line.text())) throw new Error(line.text()); });
  page.on("request", (request) => assert.ok(request.url().startsWith(base) || /^(data|chrome|chrome-extension|blob):/.test(request.url()), `a foreign host: ${request.url()}`));
  return page;
}

const shot = (page, name) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
const submit = (page) => page.locator("main button[type=submit]").first().click();

/** The first log-in: password, another one, authenticator. */
async function settle(page, name, password, keep) {
  passwords[name] = `Kumo to hoshi 9 ${[...name].reverse().join("")}`;
  await page.goto(`${base}/login`);
  if (keep) await shot(page, `${keep}-log-in`);
  await page.fill("#name", name);
  await page.fill("#password", password);
  await submit(page);
  await page.waitForURL(`${base}/password`);
  if (keep) await shot(page, `${keep}-password`);
  await page.fill("#old", password);
  await page.fill("#new", "short");
  await page.fill("#again", "short");
  await submit(page);
  await page.locator("[role=alert]").waitFor();
  await page.fill("#old", password);
  await page.fill("#new", passwords[name]);
  await page.fill("#again", passwords[name]);
  await submit(page);
  await page.waitForURL(`${base}/authenticator`);
  if (keep) await shot(page, `${keep}-authenticator`);
  await page.locator("summary").click();
  secrets[name] = await page.locator("#secret").innerText();
  await page.fill("#code", code(secrets[name]));
  await submit(page);
  await page.waitForURL(`${base}/`);
}

const sato = await sit("ja-JP");
await settle(sato, "sato", first.sato, "ja");
const suzuki = await sit("en-US");
await settle(suzuki, "suzuki", first.suzuki, "en");

/** An account, asked for by one administrator and approved by the other, who hands the first password over. */
async function join_(name, display, role) {
  await sato.goto(`${base}/people`);
  const form = sato.locator("form[action='/people/requests']");
  await form.locator("#account").fill(name);
  await form.locator("#display").fill(display);
  await form.locator("#reason").fill("新しい担当");
  await form.locator(`input[name=${role}]`).check();
  await form.locator("button").click();
  await sato.getByText("ほかの人が承認します。").waitFor();
  await suzuki.goto(`${base}/`);
  if (name === "keiri") await shot(suzuki, "en-home-approvals");
  await suzuki.locator("a[href^='/people#request-']").first().click();
  if (name === "keiri") await shot(suzuki, "en-people-pending");
  await suzuki.getByRole("button", { name: "Approve" }).first().click();
  return suzuki.locator(".notice.good .id").innerText();
}

const people = {};
for (const [name, display, role, locale] of [["keiri", "経理 太郎", "depositor", "ja-JP"], ["homu", "法務 次郎", "retriever", "ja-JP"], ["inspector", "Tax Inspector", "inspector", "en-US"], ["kansa", "監査 三郎", "auditor", "ja-JP"]]) {
  const password = await join_(name, display, role);
  people[name] = await sit(locale);
  await settle(people[name], name, password);
}
await shot(sato, "ja-people");

// Accounting deposits a month of invoices.
const { keiri, homu, inspector, kansa } = people;
await keiri.goto(`${base}/deposit`);
await shot(keiri, "ja-deposit");
for (const [day, amount, other] of [["2026-10-01", "110000", "文蔵商事株式会社"], ["2026-10-15", "0", "ＡＢＣ合同会社"], ["2026-10-31", "1234567", "<script>alert(1)</script>"]]) {
  await keiri.goto(`${base}/deposit`);
  await keiri.selectOption("#class", "received-invoice");
  await keiri.fill("#date", day);
  await keiri.fill("#amount", amount);
  await keiri.fill("#counterparty", other);
  const files = ["請求書", "明細"].map((name) => ({ name: `${name}-${day}.txt`, mimeType: "text/plain", buffer: Buffer.from(`${name} ${day} ${amount}\n`) }));
  await keiri.setInputFiles("#files", files);
  await submit(keiri);
  await keiri.getByText("2 件を預かりました。").waitFor();
}
await shot(keiri, "ja-deposited");

// An e-invoice and a paper: what is on them is read out of the first, and entered for the second.
const a = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2";
const b = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2";
const party = (name, number) => `<a:Party><a:PostalAddress><b:CityName>新宿区</b:CityName><b:PostalZone>1600044</b:PostalZone></a:PostalAddress>
  <a:PartyTaxScheme><b:CompanyID>${number}</b:CompanyID></a:PartyTaxScheme><a:PartyLegalEntity><b:RegistrationName>${name}</b:RegistrationName></a:PartyLegalEntity></a:Party>`;
const line = (id, name, amount, rate) => `<a:InvoiceLine><b:ID>${id}</b:ID><b:InvoicedQuantity unitCode="H87">2</b:InvoicedQuantity><b:LineExtensionAmount currencyID="JPY">${amount}</b:LineExtensionAmount>
  <a:Item><b:Name>${name}</b:Name><a:ClassifiedTaxCategory><b:ID>${rate === 8 ? "AA" : "S"}</b:ID><b:Percent>${rate}</b:Percent></a:ClassifiedTaxCategory></a:Item><a:Price><b:PriceAmount currencyID="JPY">${amount / 2}</b:PriceAmount></a:Price></a:InvoiceLine>`;
const tax = (code, rate, taxable) => `<a:TaxSubtotal><b:TaxableAmount currencyID="JPY">${taxable}</b:TaxableAmount><b:TaxAmount currencyID="JPY">${taxable * rate / 100}</b:TaxAmount><a:TaxCategory><b:ID>${code}</b:ID><b:Percent>${rate}</b:Percent></a:TaxCategory></a:TaxSubtotal>`;
const invoice = `<?xml version="1.0" encoding="UTF-8"?><Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:a="${a}" xmlns:b="${b}"><b:ID>2026-0815</b:ID><b:IssueDate>2026-09-30</b:IssueDate><b:DueDate>2026-10-31</b:DueDate>
  <b:Note>いつもありがとうございます。</b:Note><a:AccountingSupplierParty>${party("株式会社青空文具", "T1234567890123")}</a:AccountingSupplierParty><a:AccountingCustomerParty>${party("文蔵商事株式会社", "T3210987654321")}</a:AccountingCustomerParty>
  <a:TaxTotal><b:TaxAmount currencyID="JPY">10800</b:TaxAmount>${tax("S", 10, 100000)}${tax("AA", 8, 10000)}</a:TaxTotal>
  <a:LegalMonetaryTotal><b:LineExtensionAmount currencyID="JPY">110000</b:LineExtensionAmount><b:TaxExclusiveAmount currencyID="JPY">110000</b:TaxExclusiveAmount><b:TaxInclusiveAmount currencyID="JPY">120800</b:TaxInclusiveAmount><b:PayableAmount currencyID="JPY">120800</b:PayableAmount></a:LegalMonetaryTotal>
  ${line(1, "デスクチェア", 100000, 10)}${line(2, "お茶", 10000, 8)}</Invoice>`;
const pdf = (() => {
  const parts = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 300] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
    "<< /Length 58 >>\nstream\nBT /F 24 Tf 60 150 Td (A receipt of Fumikura Shoji) Tj ET  \nendstream", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"];
  let text = "%PDF-1.4\n";
  const places = parts.map((part, number) => { const place = text.length; text += `${number + 1} 0 obj\n${part}\nendobj\n`; return place; });
  const table = text.length;
  return `${text}xref\n0 6\n0000000000 65535 f \n${places.map((place) => `${String(place).padStart(10, "0")} 00000 n \n`).join("")}trailer << /Size 6 /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`;
})();
for (const [name, mimeType, text, fields] of [["e-invoice.xml", "application/xml", invoice, []], ["receipt.pdf", "application/pdf", pdf, [["#date", "2026-09-15"], ["#amount", "500"], ["#counterparty", "文蔵商事"]]]]) {
  await keiri.goto(`${base}/deposit`);
  await keiri.selectOption("#class", "received-invoice");
  for (const [field, value] of fields) await keiri.fill(field, value);
  await keiri.setInputFiles("#files", { name, mimeType, buffer: Buffer.from(text) });
  await submit(keiri);
  await keiri.getByText("1 件を預かりました。").waitFor();
}
const [receipt] = await Promise.all([keiri.waitForEvent("download"), keiri.getByRole("link", { name: "受け取る" }).first().click()]);
assert.ok(readFileSync(await receipt.path()).length > 1000);

// A paper invoice as a PDF: what its text says stands in the fields, as a guess that somebody looks at.
const printer = await (await browser.newContext()).newPage();
await printer.setContent(`<h1>請求書</h1><p>文蔵商事株式会社 御中</p><p>請求書番号: B-0930<br>請求日: 2026年9月30日<br>お支払期限 2026年10月31日</p><p>株式会社緑川印刷</p><h2>ご請求金額 ¥43,200-</h2><p>小計 40,000円 消費税 3,200円</p>`);
const printed = await printer.pdf();
await keiri.goto(`${base}/deposit`);
await keiri.selectOption("#class", "received-invoice");
await keiri.setInputFiles("#files", { name: "invoice.pdf", mimeType: "application/pdf", buffer: printed });
await keiri.locator("[data-guess]").waitFor();
for (const [field, value] of [["#date", "2026-09-30"], ["#amount", "43200"], ["#currency", "JPY"], ["#counterparty", "株式会社緑川印刷"], ["#number", "B-0930"]]) assert.equal(await keiri.inputValue(field), value, field);
await shot(keiri, "ja-deposit-guessed");

// The operator has them stamped.
await sato.goto(`${base}/jobs`);
await sato.getByRole("button", { name: "今すぐ付与" }).click();
for (let tries = 0; ; tries++) {
  await sato.goto(`${base}/jobs`);
  if ((await sato.locator("dd").first().innerText()) === "0") break;
  assert.ok(tries < 60, "the records were not stamped");
  await new Promise((done) => setTimeout(done, 500));
}
await shot(sato, "ja-jobs");
await shot(await (async () => { await sato.goto(`${base}/`); return sato; })(), "ja-home");

// Legal searches, looks, verifies, fetches, and hands evidence over.
await homu.goto(`${base}/search`);
await homu.fill("#from", "2026-10-01");
await homu.fill("#to", "2026-10-31");
await homu.fill("#counterparty", "abc");
await homu.locator("main form button[type=submit]").click();
await homu.getByText("2 件").first().waitFor();
await homu.getByText("この検索を保存する").click();
await homu.fill("#keep-name", "ABC の 10 月");
await homu.getByRole("button", { name: "保存" }).click();
await homu.goto(`${base}/search?go=1`);
await homu.getByText("8 件").first().waitFor();
await shot(homu, "ja-search");
await homu.getByRole("link", { name: "ABC の 10 月" }).click();
await homu.getByText("2 件").first().waitFor();
assert.equal(await homu.inputValue("#counterparty"), "abc");
await homu.getByRole("button", { name: "消す: ABC の 10 月" }).click();
await homu.waitForURL(`${base}/search`);
assert.equal(await homu.getByText("ABC の 10 月").count(), 0);
await homu.goto(`${base}/search?go=1`);

// All of it in one file, with its table.
await homu.getByText("見つかったすべてのファイルを取り出す").click();
await homu.fill("#gather-purpose", "税務調査 2026-3");
const [gathered] = await Promise.all([homu.waitForEvent("download"), homu.getByRole("button", { name: "まとめて取り出す" }).click()]);
await gathered.saveAs(join(place, "all.zip"));
const tested = run("unzip", "-t", join(place, "all.zip"));
assert.match(tested, /index\.csv/);
assert.equal(tested.match(/ OK$/gm).length, 9);

// Contents before the eyes: an invoice as an invoice, a paper by the browser's viewer.
await homu.goto(`${base}/search?counterparty=青空`);
await homu.locator("tbody a").first().click();
await homu.fill("#purpose-0", "支払の確認");
await homu.getByRole("button", { name: "内容を見る" }).click();
await homu.getByText("軽減税率 8%").first().waitFor();
await homu.getByText("120,800").first().waitFor();
await shot(homu, "ja-preview-invoice");
await homu.goto(`${base}/search?from=2026-09-15&to=2026-09-15`);
await homu.locator("tbody a").first().click();
await homu.fill("#purpose-0", "支払の確認");
const [viewer] = await Promise.all([homu.waitForResponse((response) => response.url().endsWith("/preview")), homu.getByRole("button", { name: "内容を見る" }).click()]);
assert.equal(viewer.headers()["content-type"], "application/pdf");
assert.match(viewer.headers()["content-disposition"], /^inline/);
await new Promise((done) => setTimeout(done, 1500));
await homu.screenshot({ path: join(shots, "ja-preview-pdf.png") });
await homu.goto(`${base}/search?low=1234567`);
await homu.locator("tbody a").first().click();
await shot(homu, "ja-record");
await homu.getByRole("button", { name: "今すぐ検証" }).click();
await homu.getByText("検証に合格しました。").waitFor();
await shot(homu, "ja-record-verified");
await homu.fill("#purpose-0", "事件 17 の調査");
const [content] = await Promise.all([homu.waitForEvent("download"), homu.getByRole("button", { name: "取り出す" }).first().click()]);
assert.match(content.suggestedFilename(), /2026-10-31\.txt$/);
await homu.fill("#evidence-purpose", "東京地方裁判所へ提出");
const [evidence] = await Promise.all([homu.waitForEvent("download"), homu.getByRole("button", { name: "証拠を渡す" }).click()]);
const packed = join(place, "evidence.asice");
await evidence.saveAs(packed);

// The verifier's page says of it what the other side will read.
await homu.goto(`${base}/judge`);
await homu.setInputFiles("#package", packed);
await shot(homu, "ja-judge");
const [verdict] = await Promise.all([homu.waitForEvent("popup"), submit(homu)]);
await verdict.waitForLoadState();
await verdict.screenshot({ path: join(shots, "ja-judged.png") });
assert.match(await verdict.locator("body").innerText(), /TOTAL-PASSED/);
await verdict.close();
const anchors = join(place, "anchors.pem");

// The inspector verifies the period, and may deposit nothing.
await inspector.goto(`${base}/verification`);
await inspector.fill("#from", "2026-10-01");
await inspector.fill("#to", "2026-10-31");
await inspector.locator("main form button").first().click();
await inspector.getByText("6 verified: 6 passed").waitFor();
await shot(inspector, "en-verification");
const [table] = await Promise.all([inspector.waitForEvent("download"), inspector.getByRole("button", { name: "Results as CSV" }).click()]);
assert.equal(readFileSync(await table.path(), "utf8").trim().split("\r\n").length, 7);
assert.equal((await inspector.goto(`${base}/deposit`)).status(), 403);
await shot(inspector, "en-refused");
await inspector.goto(`${base}/search?go=1`);
await shot(inspector, "en-search");

// Ten wrong passwords lock an account, whatever is entered then.
const stranger = await sit("en-US");
for (let tries = 0; tries < 10; tries++) {
  await stranger.goto(`${base}/login`);
  await stranger.fill("#name", "inspector");
  await stranger.fill("#password", `wrong ${tries}`);
  await submit(stranger);
  await stranger.locator("[role=alert]").waitFor();
}
await stranger.fill("#name", "inspector");
await stranger.fill("#password", passwords.inspector);
await stranger.fill("#code", code(secrets.inspector, 1));
await submit(stranger);
await stranger.getByText("locked for now").waitFor();
await shot(stranger, "en-locked");

// The auditor reads who did what, and checks that the lines hang together.
await kansa.goto(`${base}/audit`);
await kansa.getByText("東京地方裁判所へ提出").waitFor();
await shot(kansa, "ja-audit");
const [lines] = await Promise.all([kansa.waitForEvent("download"), kansa.getByRole("link", { name: "そのまま書き出す" }).click()]);
await lines.saveAs(join(place, "audit.jsonl"));
assert.ok(readFileSync(join(place, "audit.jsonl"), "utf8").includes('"act":"session.refuse"'));
run(verifier, "audit", join(place, "audit.jsonl"));

// What was to be reported waits for somebody who looks into it; the answer stands in the journal of the day.
await kansa.goto(`${base}/events`);
await kansa.getByText("R2 連続した認証の失敗").first().waitFor();
assert.equal(await kansa.locator("textarea").count(), 0);
await sato.goto(`${base}/`);
await sato.getByText("対応を待つ事象").waitFor();
await sato.goto(`${base}/events`);
const failed = sato.locator("tbody tr", { hasText: "R2" });
const waiting = await failed.count();
await failed.first().locator("input[type=checkbox]").check();
await shot(sato, "ja-events");
await sato.fill("#remark", "検査担当が以前のパスワードを入力していた。本人に確認済み。");
await sato.getByRole("button", { name: "対応を書き留める" }).click();
await sato.waitForURL(`${base}/events`);
assert.equal(await failed.count(), waiting - 1);
await sato.goto(`${base}/journal`);
await sato.fill("#text", "媒体 B の扇風機を交換した。");
await sato.getByRole("button", { name: "書き留める" }).click();
await sato.getByText("媒体 B の扇風機を交換した。").waitFor();
await sato.getByText("本人に確認済み").first().waitFor();
await shot(sato, "ja-journal");
await suzuki.goto(`${base}/journal`);
await shot(suzuki, "en-journal");

// All that waits for a second person, in one list; whoever asked withdraws it. Then the yearly review of all accounts.
await sato.goto(`${base}/people`);
const request = sato.locator("form[action='/people/requests']");
await request.locator("#account").fill("rinji");
await request.locator("#display").fill("臨時 四郎");
await request.locator("#reason").fill("繁忙期の応援");
await request.locator("input[name=depositor]").check();
await request.locator("button").click();
await sato.getByText("ほかの人が承認します。").waitFor();
await sato.goto(`${base}/approvals`);
await sato.getByText("繁忙期の応援").waitFor();
await sato.getByText("臨時 四郎 — 預入者").waitFor();
await shot(sato, "ja-approvals");
await suzuki.goto(`${base}/approvals`);
await shot(suzuki, "en-approvals");
await sato.goto(`${base}/people/review`);
await sato.selectOption("select[name='decision.keiri']", "keep");
await sato.fill("input[name='remark.keiri']", "引き続き経理を担当");
await shot(sato, "ja-review");
await sato.getByRole("button", { name: "決定を記録する" }).click();
await sato.getByText("引き続き経理を担当").waitFor();
await suzuki.goto(`${base}/people/review`);
await shot(suzuki, "en-review");

// On a telephone, and in the dark; without scripts, the main paths work, too.
for (const [name, scheme, viewport] of [["dark", "dark", undefined], ["telephone", "light", { width: 390, height: 844 }]]) {
  const page = await sit("ja-JP", scheme, viewport);
  await page.context().addCookies(await homu.context().cookies());
  await page.goto(`${base}/search?go=1`);
  await shot(page, `ja-search-${name}`);
  await page.locator("tbody a").last().click();
  await shot(page, `ja-record-${name}`);
}
const plain = await (await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false, locale: "ja-JP" })).newPage();
await plain.context().addCookies(await keiri.context().cookies());
await plain.goto(`${base}/deposit`);
await plain.selectOption("#class", "general");
await plain.setInputFiles("#files", [{ name: "plain.txt", mimeType: "text/plain", buffer: Buffer.from("without scripts") }]);
await plain.locator("main form button").click();
await plain.getByText("1 件を預かりました。").waitFor();

// Logging out ends the session on the other side, too.
const token = await keiri.context().cookies();
await keiri.getByRole("button", { name: "ログアウト" }).click();
await keiri.waitForURL(`${base}/login`);
await plain.goto(`${base}/deposit`);
assert.equal(plain.url(), `${base}/login?ended=1`);
assert.ok(token.length > 0);

// A session that nobody uses for a quarter of an hour is over, and says so. Time is the service's own here, where its clock can be moved.
if (clock) {
  await homu.goto(`${base}/search`);
  writeFileSync(clock, "+14m");
  await homu.goto(`${base}/search`);
  assert.equal(homu.url(), `${base}/search`);
  writeFileSync(clock, "+30m");
  await homu.goto(`${base}/search`);
  assert.equal(homu.url(), `${base}/login?ended=1`);
  await homu.getByText("セッションは終了しました。").waitFor();
  await shot(homu, "ja-session-over");
}

await browser.close();
service.kill("SIGTERM");
const ended = await new Promise((done) => service.on("exit", (status) => done(status)));
assert.equal(ended, 0, told);
run(archiver, ...common, "verify");
run(archiver, ...common, "evidence", readFileSync(packed).length > 0 ? JSON.parse(run(archiver, ...common, "--json", "search", "--amount", "1234567").split("\n")[0]).record : "", "-o", "again.asice", "--trust-anchors", anchors);
run(verifier, "verify", packed, "--trust", anchors);
console.log(`browser: everything done as it should be; screenshots in ${shots}`);
