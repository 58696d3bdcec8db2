using LumaGateway;
using LumaGateway.Access;
using LumaGateway.Hosting;
using LumaGateway.Problems;
using LumaGateway.Proxy;
using LumaGateway.Telemetry;

var commandLine = new CommandLine(args);
if (await commandLine.TryRunAsync(Console.Out, Console.Error) is { } exitCode)
{
    return exitCode;
}

if (await StartupErrors.CreateBuilderAsync(commandLine) is not { } builder)
{
    return StartupErrors.ExitCode;
}

builder.Services.AddGateway(builder.Configuration);

var app = builder.Build();
if (!await app.ValidateSettingsAsync())
{
    return StartupErrors.ExitCode;
}

if (commandLine.IsCheck)
{
    return await app.CheckConnectionsAsync();
}

// In the order in which a request passes through them.
app.UseShutdown(); // adds "Connection: close" to every response during shutdown
app.UseClientDisconnects(); // outside the exception handler: an aborted request is not an error of the gateway
app.UseAccountRootAlias(); // before routing: it changes the path
app.UseRouting(); // the next two middleware read the endpoint
app.UseManagementPort(); // before the cache: it may not respond on the management port
app.UseRequestId(); // in every response, every problem and every log message below
app.UseAccessLog(); // measures all of the work below
app.UseSecurityHeaders(); // in every response; an endpoint can change them
app.UseStrictRequests(); // before the cache, which responds without the rest
app.UseCrossOriginRequests(); // responds to preflight requests, which have no credential
app.UseAccess(); // authentication, permissions and limits; writes a fresh entry from memory without a change of thread
app.UseYieldToThreadPool(); // everything below may compute for long, and must not block the socket's thread
app.UseForwardedHeaders(); // sets the client's address before anything logs it
app.UseRequestLogScope(); // outside the exception handler, which logs; the trace id is in every problem and log message below
app.UseExceptionHandler(); // turns exceptions from below into problems
app.UseStatusCodePages(); // turns empty error responses from below into problems
app.UseOptionsAndConnect(); // CONNECT has no path to route by
app.UseUpgradeRemoval(); // before the endpoints that forward requests
app.UseAccessOutcome(); // responds to refused requests; after OPTIONS, which reveals only the allowed methods
app.UseOwnership(); // after the audit, which records the refusal; before anything that uses the id

app.MapGateway();
app.AddListeners();
return await app.RunAndReportErrorsAsync();
