import { defineConfig } from 'tandem';

export default defineConfig({
  application: 'storefront',
  regions: ['us-east-1', 'us-west-2'],
});
