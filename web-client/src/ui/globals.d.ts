/** The folder of the emoji picker's data on this server; vite.config.ts says which. */
declare const __EMOJI_DATA__: string;
