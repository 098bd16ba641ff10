"use strict";
// The live page: one stream of snapshot, state and events; commands with a token that stays in this browser session.
// Everything that is shown is set as text, never as HTML: what bots journal may come from anyone.

const FEED_LENGTH = 200;
const STALE_MS = 3500;
const RETRY_MS = [250, 500, 1000, 2000];
const COMMAND_MS = 32000;
const SILENT_SECONDS = 30; // six heartbeats
const LEVELS = ["debug", "info", "warning", "error", "critical"];
const MODES = [
  ["active", "Start monitoring", "The bot goes to active: it will trade."],
  ["standby", "Standby", "The bot will open nothing new. It may still close what it holds."],
  ["halted", "Halt", "The bot will send nothing at all until a person sets another mode."],
];

const bots = new Map();
const $ = (id) => document.getElementById(id);
let events = [];
let heard = 0;
let paused = false;
let drawing = false;
let submitted = () => {};

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function figure(value, digits = 2) {
  if (value === null || value === undefined) return "–";
  return Number(value).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function significant(value) {
  if (value === null || value === undefined) return "–";
  if (Math.abs(value) >= 1e12) return Number(value).toExponential(3);
  return Number(value).toLocaleString("en", { maximumSignificantDigits: 6 });
}

function ago(seconds) {
  if (!seconds) return "never";
  const age = Math.max(0, Date.now() / 1000 - seconds);
  if (age < 2) return "now";
  if (age < 120) return `${Math.round(age)} s ago`;
  return age < 7200 ? `${Math.round(age / 60)} min ago` : `${Math.round(age / 3600)} h ago`;
}

const isAlive = (bot) => Boolean(bot.last_event) && Date.now() / 1000 - bot.last_event < SILENT_SECONDS;
const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en-GB");

const token = () => sessionStorage.getItem("deskwatch-token") || "";
const headers = (more = {}) => (token() ? { Authorization: `Bearer ${token()}`, ...more } : more);

// --- the stream ---------------------------------------------------------------------------------------------------
async function follow() {
  for (let tries = 0; ; ) {
    try {
      const response = await fetch("stream", { headers: headers(), cache: "no-store" });
      if (response.status === 401) await askForToken();
      else if (response.ok) {
        tries = 0;
        await read(response.body.getReader());
      }
    } catch (error) {
      console.warn(`the stream ended: ${error.message}`); // and is opened again, whatever it was
    }
    const pause = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)];
    tries += 1;
    await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
  }
}

async function read(reader) {
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    const messages = text.split("\n\n");
    text = messages.pop();
    for (const message of messages) take(JSON.parse(message.slice("data: ".length)));
  }
}

function take(message) {
  heard = Date.now();
  if (message.type === "snapshot") {
    bots.clear();
    loadActivity();
  }
  if (message.bots) for (const bot of message.bots) bots.set(bot.bot, bot);
  if (message.type === "events") {
    events.push(...message.events);
    events = events.slice(-FEED_LENGTH * 3);
    if (!paused) drawFeed();
  }
  if (message.bots && !drawing) {
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      drawBots();
    });
  }
}

async function loadActivity() {
  const response = await fetch(`activity/recent?limit=${FEED_LENGTH}`, { headers: headers(), cache: "no-store" });
  if (!response.ok) return;
  const recent = (await response.json()).events.reverse();
  const last = recent.length ? recent[recent.length - 1].number : 0;
  events = [...recent, ...events.filter((event) => event.number > last)];
  drawFeed();
}

function drawLink() {
  const link = $("link");
  const age = Date.now() - heard;
  const live = heard > 0 && age < STALE_MS;
  link.className = live ? "live" : "stale";
  link.textContent = live ? "● live" : heard ? `○ no data for ${Math.round(age / 1000)} s – reconnecting` : "○ connecting …";
}

// --- bots -----------------------------------------------------------------------------------------------------------
function drawBots() {
  if (!bots.size) return;
  const shown = [...bots.values()].sort((one, other) => one.bot.localeCompare(other.bot));
  const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.key : null;
  $("bots").replaceChildren(...shown.map(card));
  if (focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function card(bot) {
  const article = element("article", "bot");
  article.setAttribute("aria-label", bot.bot);
  article.append(headline(bot), figures(bot));
  if (bot.equity_curve.length > 2) article.append(curve(bot.equity_curve));
  const positions = Object.values(bot.positions);
  if (positions.length) {
    const rows = positions.map((one) => [one.symbol, one.side, significant(one.quantity), significant(one.entry_price),
      significant(one.mark_price), figure(one.unrealized_pnl)]);
    article.append(table("Open positions", ["Symbol", "Side", "#Quantity", "#Entry", "#Mark", "#Unrealized"], rows));
  }
  const prices = Object.values(bot.prices);
  if (prices.length) {
    const rows = prices.map((one) => [one.symbol, one.venue, significant(one.price), ago(one.at)]);
    article.append(table("Prices", ["Symbol", "Venue", "#Price", "Seen"], rows));
  }
  return article;
}

function headline(bot) {
  const mode = bot.mode.actual || "unknown";
  const state = !bot.running ? "stopped" : isAlive(bot) ? "" : "silent"; // of a bot that is not there, the mode is past
  const bar = element("div", "bar");
  bar.append(element("h2", "", bot.bot), element("span", `mode ${state || mode}`, state ? `${state}, was ${mode}` : mode));
  const why = bot.mode.reason && bot.mode.reason !== "start" ? ` · ${bot.mode.reason}` : "";
  bar.append(element("span", "since", bot.mode.since ? `since ${clock(bot.mode.since)}${why}` : ""));
  if (bot.mode.desired && bot.mode.desired !== bot.mode.actual) {
    bar.append(element("span", "warning", `asked for ${bot.mode.desired}, not confirmed`));
  }
  for (const [name, title, effect] of MODES) {
    bar.append(button(bot, name, title, name === mode, () => ask(bot, title, effect, "PUT", `bots/${bot.bot}/mode`, { mode: name })));
  }
  bar.append(button(bot, "close_all", "Close all", false, () =>
    ask(bot, "Close all", "The bot will close everything it holds.", "POST", `bots/${bot.bot}/commands`, { type: "close_all" })));
  return bar;
}

function button(bot, name, title, disabled, action) {
  const made = element("button", name === "halted" || name === "close_all" ? "danger" : "", title);
  made.type = "button";
  made.disabled = disabled;
  made.dataset.key = `${bot.bot} ${name}`;
  made.addEventListener("click", action);
  return made;
}

function figures(bot) {
  const list = element("dl", "figures");
  const add = (name, value, className, note) => {
    const group = element("div");
    const data = element("dd", className || "", value);
    if (note) data.append(" ", element("small", "", note));
    group.append(element("dt", "", name), data);
    list.append(group);
  };
  add("Last event", ago(bot.last_event), isAlive(bot) ? "" : "dead");
  for (const [asset, equity] of Object.entries(bot.equity)) add("Equity", figure(equity), "", asset);
  for (const [asset, pnl] of Object.entries(bot.realized_pnl)) {
    add("Realized PnL", (pnl > 0 ? "+" : "") + figure(pnl), pnl < 0 ? "loss" : "gain", asset);
  }
  const counts = bot.counts;
  const rate = counts.trades_closed ? `${Math.round((100 * counts.trades_won) / counts.trades_closed)} % won` : "";
  add("Trades", figure(counts.trades_closed, 0), "", rate);
  add("Orders filled", `${figure(counts.orders_filled, 0)} of ${figure(counts.orders_submitted, 0)}`, "",
    counts.orders_failed ? `${counts.orders_failed} failed` : "");
  for (const [asset, spent] of Object.entries(bot.gas_spent)) add("Gas spent", significant(spent), "", asset);
  if (bot.gas_price_wei) add("Gas price", significant(Number(bot.gas_price_wei) / 1e9), "", "gwei");
  if (bot.head_block) add("Block", figure(bot.head_block, 0));
  add("Errors", figure(counts.errors, 0), counts.errors ? "warning" : "");
  for (const { venue, connection, up } of Object.values(bot.connections)) add(`${venue} ${connection}`, up ? "up" : "down", up ? "" : "dead");
  for (const alert of Object.values(bot.alerts)) add("Risk alert", alert.alert, "dead", alert.message || "");
  return list;
}

function curve(points) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const line = document.createElementNS(space, "polyline");
  const values = points.map((point) => point[1]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [first, last] = [points[0][0], points[points.length - 1][0]];
  const x = (at) => (100 * (at - first)) / (last - first || 1);
  const y = (value) => 38 - (36 * (value - low)) / (high - low || 1);
  line.setAttribute("points", points.map(([at, value]) => `${x(at).toFixed(2)},${y(value).toFixed(2)}`).join(" "));
  svg.setAttribute("class", "curve");
  svg.setAttribute("viewBox", "0 0 100 40");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Equity from ${figure(values[0])} to ${figure(values[values.length - 1])}`);
  svg.append(line);
  return svg;
}

function table(title, columns, rows) {
  const box = element("div", "scroll");
  const made = element("table");
  const line = (cells, tag) => {
    const row = element("tr");
    cells.forEach((cell, at) => row.append(element(tag, columns[at].startsWith("#") ? "number" : "", cell)));
    return row;
  };
  made.append(line(columns.map((column) => column.replace("#", "")), "th"), ...rows.map((row) => line(row, "td")));
  box.append(element("h3", "", title), made);
  return box;
}

// --- activity -------------------------------------------------------------------------------------------------------
function drawFeed() {
  const kind = $("kind").value;
  const level = LEVELS.indexOf($("level").value);
  const shown = events.filter((event) => (!kind || event.kind === kind) && LEVELS.indexOf(event.level) >= level);
  $("feed").replaceChildren(...shown.slice(-FEED_LENGTH).reverse().map(entry));
}

function entry(event) {
  const item = element("li");
  const opener = element("button");
  opener.type = "button";
  const what = element("span", `what ${event.level}`);
  what.append(element("b", "", event.type.replaceAll("_", " ")), ` ${summary(event.raw)}`);
  opener.append(element("time", "", clock(event.ts / 1e9)), what);
  opener.addEventListener("click", () => {
    $("details-title").textContent = event.type.replaceAll("_", " ");
    $("details-text").textContent = JSON.stringify(event.raw, null, 2);
    $("details").showModal();
  });
  item.append(opener);
  return item;
}

function summary(raw) {
  const parts = [
    raw.realized_pnl !== undefined && `${raw.realized_pnl > 0 ? "+" : ""}${figure(raw.realized_pnl)} ${raw.asset}`,
    raw.message, raw.action, raw.side, raw.quantity && significant(raw.quantity), raw.symbol, raw.venue,
    raw.price && `at ${significant(raw.price)}`, raw.command, raw.mode, raw.reason, raw.purpose,
    raw.probability !== undefined && `p ${figure(raw.probability)}`,
    raw.expected_profit !== undefined && `expects ${figure(raw.expected_profit)} ${raw.asset}`, raw.reasoning];
  return parts.filter(Boolean).join(" · ");
}

// --- commands -------------------------------------------------------------------------------------------------------
function ask(bot, title, effect, method, path, body) {
  $("ask-title").textContent = `${title}: ${bot.bot}`;
  $("ask-text").textContent = effect;
  $("ask-progress").textContent = "";
  $("ask-reason").value = "";
  $("ask-reason-label").hidden = false;
  $("ask-token").value = "";
  $("ask-token-label").hidden = Boolean(token());
  $("ask-go").disabled = false;
  submitted = () => send(method, path, { ...body, reason: $("ask-reason").value || null });
  $("ask").showModal();
}

function askForToken() {
  $("ask-title").textContent = "This sidecar needs a token";
  $("ask-text").textContent = "It is in the file “token” in the sidecar's home folder.";
  $("ask-progress").textContent = "";
  $("ask-reason-label").hidden = true;
  $("ask-token-label").hidden = false;
  $("ask-go").disabled = false;
  return new Promise((resolve) => {
    submitted = () => {
      sessionStorage.setItem("deskwatch-token", $("ask-token").value.trim());
      $("ask").close();
    };
    $("ask").addEventListener("close", resolve, { once: true });
    if (!$("ask").open) $("ask").showModal();
  });
}

async function send(method, path, body) {
  const key = crypto.getRandomValues(new Uint32Array(4)).join("-");
  const progress = (text) => { $("ask-progress").textContent = text; };
  if ($("ask-token").value) sessionStorage.setItem("deskwatch-token", $("ask-token").value.trim());
  $("ask-go").disabled = true;
  progress("sending …");
  try {
    const sent = await fetch(path, { method, body: JSON.stringify(body),
      headers: headers({ "Content-Type": "application/json", "Idempotency-Key": key }) });
    let command = await sent.json();
    if (!sent.ok) {
      if (sent.status === 401) sessionStorage.removeItem("deskwatch-token");
      $("ask-token-label").hidden = sent.status !== 401;
      $("ask-go").disabled = false;
      return progress(`not accepted: ${command.detail}`);
    }
    const deadline = Date.now() + COMMAND_MS;
    while (["accepted", "running"].includes(command.status) && Date.now() < deadline) {
      progress(`${command.status}, waiting for the bot …`);
      await new Promise((resolve) => setTimeout(resolve, 200));
      command = await (await fetch(`commands/${command.id}`, { headers: headers(), cache: "no-store" })).json();
    }
    progress(command.status === "succeeded" ? "confirmed by the bot" : `${command.status}: ${command.error || "the bot did not confirm it"}`);
    if (command.status === "succeeded") setTimeout(() => $("ask").close(), 900);
  } catch (error) {
    $("ask-go").disabled = false;
    progress(`not sent: ${error.message}`);
  }
}

$("ask-form").addEventListener("submit", (event) => {
  event.preventDefault(); // the dialogue stays open until the bot has answered
  submitted();
});
$("ask-cancel").addEventListener("click", () => $("ask").close());
for (const id of ["kind", "level"]) $(id).addEventListener("change", drawFeed);
$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").textContent = paused ? "Resume" : "Pause";
  $("pause").setAttribute("aria-pressed", String(paused));
  if (!paused) drawFeed();
});
setInterval(() => { drawLink(); drawBots(); }, 1000);
follow();
