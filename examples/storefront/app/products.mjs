/** What the shop sells. Prices in cents. */
export const products = [
  {
    id: 'lantern',
    name: 'Storm lantern',
    about: 'Stays lit when the power goes',
    priceCents: 3900,
    symbol: '🏮',
  },
  {
    id: 'compass',
    name: 'Brass compass',
    about: 'Points the same way in every region',
    priceCents: 5400,
    symbol: '🧭',
  },
  {
    id: 'anchor',
    name: 'Small anchor',
    about: 'Keeps a release where you put it',
    priceCents: 7200,
    symbol: '⚓',
  },
  { id: 'kettle', name: 'Camp kettle', about: 'Tea for two, on any stove', priceCents: 2800, symbol: '🫖' },
];

const byId = new Map(products.map(product => [product.id, product]));

export function findProduct(id) {
  return byId.get(id);
}
