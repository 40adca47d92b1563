/** An address as logs and answers may show it. A password may hold an `@` of its own: the last one ends it. */
export const withoutPassword = (url: string): string => url.replace(/^([a-z+]+:\/\/)[^/]*@/i, "$1xxxxx@");
