/** The same as in package.json; a test holds them together. A constant, because reading a file costs start-up time. */
export const VERSION = '0.1.0';
