/** What `import … from 'tandem'` gives a `tandem.config.ts`. */
export { defineConfig, type Config, type ConfigInput } from './model/config/schema.ts';
export { defineFleet, type FleetInput } from './model/config/fleet.ts';
