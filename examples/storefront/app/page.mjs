import { products } from './products.mjs';

/** The whole page: products, basket, and who served it. */
export function renderPage(identity, basket) {
  const total = basket.reduce((sum, { priceCents }) => sum + priceCents, 0);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Storefront</title>
<link rel="icon" href="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><text y='13' font-size='13'>⚓</text></svg>">
<style>${STYLE}</style>
</head>
<body>
<header>
  <h1>Storefront</h1>
  <p>Useful things for rough weather.</p>
</header>
<main>
  <section class="products" aria-label="Products">${products.map(renderProduct).join('')}
  </section>
  <section class="basket" aria-label="Basket">
    <h2>Your basket</h2>${basket.length === 0 ? '\n    <p>Nothing in it yet.</p>' : renderBasket(basket, total)}
  </section>
</main>
<footer aria-label="Served by">
  <dl>${renderFact('Version', identity.version)}${renderFact('Region', identity.region)}${renderFact('Release', identity.release.slice(0, 12))}${renderFact('Task', identity.taskId)}
  </dl>
</footer>
</body>
</html>
`;
}

function renderProduct({ id, name, about, priceCents, symbol }) {
  return `
    <article>
      <div class="symbol" aria-hidden="true">${symbol}</div>
      <h2>${name}</h2>
      <p>${about}</p>
      <form method="post" action="/basket">
        <span class="price">${formatPrice(priceCents)}</span>
        <button name="product" value="${id}" aria-label="Add ${name} to the basket">Add</button>
      </form>
    </article>`;
}

function renderBasket(basket, total) {
  const items = basket.map(
    ({ name, priceCents }) => `<li><span>${name}</span><span>${formatPrice(priceCents)}</span></li>`,
  );
  return `
    <ul>${items.join('')}</ul>
    <p class="total"><span>Total</span><span>${formatPrice(total)}</span></p>
    <form method="post" action="/basket/empty"><button class="quiet">Empty the basket</button></form>`;
}

function renderFact(name, value) {
  return `
    <div><dt>${name}</dt><dd>${escapeHtml(value)}</dd></div>`;
}

function formatPrice(cents) {
  return `$${(cents / 100).toFixed(2)}`;
}

function escapeHtml(text) {
  return String(text).replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
:root { color-scheme: light dark; --ink: #17212b; --soft: #5b6875; --paper: #f6f4ef; --card: #fff; --line: #e2ded5; --accent: #0b6e6e; }
@media (prefers-color-scheme: dark) { :root { --ink: #ecf0f3; --soft: #9aa7b3; --paper: #12181e; --card: #1b232b; --line: #2b3640; --accent: #4fc3c3; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
header, main, footer dl { width: 100%; max-width: 64rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.5rem; }
h1 { margin: 0; font-size: 2.25rem; letter-spacing: -0.02em; }
header p, article p { margin: 0.25rem 0 0; color: var(--soft); }
main { flex: 1; display: grid; gap: 1.25rem; padding-top: 1.75rem; padding-bottom: 2rem; }
@media (min-width: 52rem) { main { grid-template-columns: 1fr 17rem; align-items: start; } }
.products { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); }
article, .basket { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.25rem; }
article { display: flex; flex-direction: column; }
article form { display: flex; justify-content: space-between; align-items: center; margin-top: auto; padding-top: 1rem; }
h2 { margin: 0; font-size: 1.1rem; }
.symbol { font-size: 2.5rem; line-height: 1.2; }
.price, .total { font-weight: 600; font-variant-numeric: tabular-nums; }
button { font: inherit; font-weight: 600; color: var(--card); background: var(--accent); border: 0; border-radius: 999px; padding: 0.35rem 1rem; cursor: pointer; }
button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
button.quiet { color: var(--soft); background: none; border: 1px solid var(--line); }
ul { list-style: none; margin: 0.75rem 0; padding: 0; }
li, .total { display: flex; justify-content: space-between; gap: 1rem; }
.total { border-top: 1px solid var(--line); padding-top: 0.5rem; margin: 0 0 1rem; }
footer { border-top: 1px solid var(--line); color: var(--soft); }
dl { display: flex; flex-wrap: wrap; gap: 0.25rem 2rem; padding-top: 1rem; padding-bottom: 1.25rem; font-size: 0.85rem; }
dl div { display: flex; gap: 0.5rem; }
dd { margin: 0; color: var(--ink); font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
`;
