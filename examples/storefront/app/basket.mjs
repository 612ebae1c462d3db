import { findProduct } from './products.mjs';

const COOKIE = 'basket';
const MOST_ITEMS = 20;

/** The products in a visitor's basket: kept in a cookie, so that any task in any region can serve the next request. */
export function readBasket(cookieHeader = '') {
  const cookie = cookieHeader
    .split(';')
    .map(part => part.trim())
    .find(part => part.startsWith(`${COOKIE}=`));
  const ids = cookie?.slice(COOKIE.length + 1).split('.') ?? [];
  return ids.flatMap(id => findProduct(id) ?? []).slice(0, MOST_ITEMS);
}

export function addToBasket(basket, id) {
  const product = findProduct(id);
  return product === undefined ? undefined : [...basket, product].slice(-MOST_ITEMS);
}

export function basketCookie(basket) {
  const value = basket.map(({ id }) => id).join('.');
  const lifetime = basket.length === 0 ? '; Max-Age=0' : '';
  return `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Lax${lifetime}`;
}
