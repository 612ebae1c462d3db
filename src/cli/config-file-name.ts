/** In a module of its own, so that naming the file does not load what reads it. */
export const CONFIG_FILE_NAME = 'tandem.config.ts';
