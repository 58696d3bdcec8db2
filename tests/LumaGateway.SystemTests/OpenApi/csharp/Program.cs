// Runs the checks against GATEWAY with the client that the argument names, and prints one line for each.
using Clients;

using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(Environment.GetEnvironmentVariable("GATEWAY")!) };
http.DefaultRequestHeaders.Add("X-Api-Key", Environment.GetEnvironmentVariable("CLIENT_KEY"));
await Contract.CheckAsync(args[0] is "nswag" ? new NSwagClient(http) : new KiotaClient(http));
