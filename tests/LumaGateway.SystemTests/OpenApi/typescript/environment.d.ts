// The two members of Node.js that the checks use.
declare const process: { env: Record<string, string | undefined> };
