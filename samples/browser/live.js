// Lists executions, shows one of them live, starts and cancels. Another server: ?server=ws://host:port/ws
import { Hub } from './hub.js';
import { Log } from './log.js';

const EXAMPLE = {
  suite: {
    name: 'Example Suite',
    description: 'Suite used as an example',
    environment_name: 'production',
    tests: [
      {
        id: 'test_1',
        test: {
          name: 'Example test',
          description: 'These are some tests',
          interactions: [
            { id: 'test_1_1', user: { type: 'text', text: 'hi' }, agent: { validate: [{ type: 'contains', value: 'hello' }] } },
          ],
        },
      },
    ],
  },
};
const REFRESH_MS = 2_000;
const LONGEST_DATA = 2_000;
const FINAL = ['completed', 'failed', 'cancelled'];

const element = (id) => document.getElementById(id);
const log = new Log({ list: element('log'), summary: element('summary'), jump: element('jump') });
let current;
let items = [];
const rows = new Map();

const address = new URLSearchParams(location.search).get('server') ?? 'ws://localhost:8080/ws';
const host = address.replace(/^wss?:\/\//, '').replace(/[/?#].*/, '');
const hub = new Hub(address, (state, reason) => {
  element('connection').dataset.state = state;
  element('connection').textContent = {
    connecting: `connecting to ${host}`, open: host, lost: `${host}: connection lost, trying again`, refused: `${host}: ${reason}`,
  }[state];
  element('start').disabled = state !== 'open';
  showCurrent();
  if (state === 'open') {
    refresh();
  }
}, bringKey);

element('start').addEventListener('click', () => attempt(async () => {
  const { id } = await hub.ask('execute', { data: EXAMPLE, watch: false, labels: { from: 'browser' } });
  open(id);
  await refresh();
}));
element('cancel').addEventListener('click', () => attempt(async () => {
  await hub.ask('cancel', { id: current.id, reason: 'cancelled in the browser' });
  await refresh();
}));
element('filter').addEventListener('input', ({ target }) => { log.filter = target.value; });
globalThis.addEventListener('hashchange', openFromAddress);
setInterval(() => document.hidden || refresh(), REFRESH_MS);
openFromAddress();

// For this tab only, and for no other server.
function bringKey(isAsked) {
  const name = `harness-key ${address}`;
  if (isAsked) {
    sessionStorage.setItem(name, prompt(`${host} asks for an API key`) ?? '');
  }
  return sessionStorage.getItem(name);
}

function openFromAddress() {
  const id = location.hash.slice(1);
  if (id && id !== current?.id) {
    open(id);
  } else if (!id && current) {
    close();
  }
}

function close() {
  hub.unwatch(current.id);
  current = undefined;
  log.clear();
  say('');
  showList();
}

function open(id) {
  if (current) {
    hub.unwatch(current.id);
  }
  current = { id, name: id, status: 'pending' };
  location.hash = id;
  log.clear();
  say('');
  showList();
  hub.watch(id, take, (error) => {
    log.add({ seq: '', text: error.message, kind: 'error' });
    setStatus('unknown');
  });
}

function take({ type, seq, ts, message, status, data, from, to, name }) {
  const add = (text, kind) => log.add({ seq, time: ts, text, kind });
  if (type === 'log') {
    add(message, kindOf(message));
  } else if (type === 'subscribed') {
    setStatus(status);
  } else if (type === 'truncated') {
    log.add({ seq: '…', text: `events ${from} to ${to} are no longer kept`, kind: 'note' });
  } else if (type === 'status') {
    add(data.logs?.length ? data.logs.join('\n') : `Status: ${data.status}`, 'note');
    setStatus(data.status);
  } else if (type === 'event') {
    const words = `${name} ${JSON.stringify(data) ?? ''}`;
    add(words.length > LONGEST_DATA ? `${words.slice(0, LONGEST_DATA)}…` : words, 'note');
  } else if (type === 'result') {
    add(`Result: ${data.status}${data.error ? `, ${data.error}` : ''}`, data.status === 'completed' ? 'good' : 'error');
    setStatus(data.status);
    refresh();
  }
}

function kindOf(line) {
  return /^Error | FAILED/.test(line) ? 'error'
    : /^All validations passed| PASSED /.test(line) ? 'good'
      : /^Running Test ID:/.test(line) ? 'title' : '';
}

function setStatus(status) {
  current.status = status;
  showCurrent();
}

async function refresh() {
  const list = await hub.ask('list', { limit: 50 }).catch(() => undefined);
  if (list) {
    items = list.items;
    showList();
  }
}

function showList() {
  element('none').hidden = items.length > 0;
  // Rows stay while they are listed: one that is new would take the focus from the keyboard with every refresh.
  const listed = new Set(items.map(({ id }) => id));
  rows.forEach((row, id) => {
    if (!listed.has(id)) {
      row.remove();
      rows.delete(id);
    }
  });
  items.forEach((item, index) => {
    const row = rows.get(item.id) ?? createRow(item);
    const list = element('executions');
    rows.set(item.id, row);
    if (list.children[index] !== row) {
      list.insertBefore(row, list.children[index] ?? null);
    }
    updateRow(row.firstElementChild, item);
  });
  showCurrent();
}

function createRow({ id, name }) {
  const link = document.createElement('a');
  link.href = `#${id}`;
  link.append(part('name', name), part('about', ''));
  const row = document.createElement('li');
  row.append(link);
  return row;
}

function updateRow(link, { id, name, kind, status, started_at }) {
  link.dataset.status = status;
  link.lastElementChild.textContent = `${status} · ${kind} · ${new Date(started_at).toLocaleTimeString()}`;
  if (id === current?.id) {
    link.setAttribute('aria-current', 'true');
    current.name = name;
  } else {
    link.removeAttribute('aria-current');
  }
}

function showCurrent() {
  const status = current?.status ?? '';
  element('title').textContent = current?.name ?? 'Choose an execution, or start the example';
  element('id').textContent = current && current.name !== current.id ? current.id : '';
  element('status').hidden = !current;
  element('status').textContent = element('status').dataset.status = status;
  element('cancel').hidden = !current || FINAL.includes(status) || status === 'unknown';
  element('cancel').disabled = element('connection').dataset.state !== 'open';
}

function part(name, text) {
  const span = document.createElement('span');
  span.className = name;
  span.textContent = text;
  return span;
}

async function attempt(action) {
  say('');
  await action().catch((error) => say(error.message));
}

function say(text) {
  element('message').textContent = text;
}
