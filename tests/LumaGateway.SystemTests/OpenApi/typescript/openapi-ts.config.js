// For @hey-api/openapi-ts. Node.js requires extensions in imports.
export default {
  input: `${process.env.GATEWAY}/openapi/v1.json`,
  output: { path: 'generated/hey-api', module: { extension: '.js' } },
  plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
};
