import { addToBasket, basketCookie, readBasket } from './basket.mjs';
import { renderPage } from './page.mjs';

const LARGEST_FORM_BYTES = 1024;

const routes = new Map([
  ['/', { GET: showShop }],
  ['/health', { GET: (_request, response) => sendJson(response, { status: 'ok' }) }],
  [
    '/api/info',
    { GET: (_request, response, identity) => sendJson(response, { application: 'storefront', ...identity }) },
  ],
  ['/basket', { POST: putInBasket }],
  ['/basket/empty', { POST: emptyBasket }],
]);

export function handleRequest(request, response, identity) {
  const { pathname } = new URL(request.url, 'http://storefront');
  const route = routes.get(pathname);
  if (route === undefined) return sendText(response, 404, 'There is no such page.');
  const handler = route[request.method === 'HEAD' ? 'GET' : request.method];
  if (handler === undefined) {
    response.setHeader('allow', Object.keys(route).join(', '));
    return sendText(response, 405, `${request.method} is not possible here.`);
  }
  handler(request, response, identity);
}

function showShop(request, response, identity) {
  const page = renderPage(identity, readBasket(request.headers.cookie));
  send(response, 200, 'text/html; charset=utf-8', page);
}

function putInBasket(request, response) {
  let form = '';
  request.setEncoding('utf8');
  request.on('data', chunk => {
    form += chunk;
    if (form.length > LARGEST_FORM_BYTES) {
      sendText(response, 413, 'That is too much.');
      request.destroy();
    }
  });
  request.on('end', () => {
    const basket = addToBasket(readBasket(request.headers.cookie), new URLSearchParams(form).get('product'));
    if (basket === undefined) return sendText(response, 400, 'We do not sell that.');
    returnToShop(response, basket);
  });
}

function emptyBasket(request, response) {
  request.resume();
  returnToShop(response, []);
}

function returnToShop(response, basket) {
  response.writeHead(303, { location: '/', 'set-cookie': basketCookie(basket) }).end();
}

function sendJson(response, value) {
  send(response, 200, 'application/json', JSON.stringify(value));
}

function sendText(response, status, text) {
  send(response, status, 'text/plain; charset=utf-8', `${text}\n`);
}

function send(response, status, type, body) {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}
