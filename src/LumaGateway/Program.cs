using LumaGateway;
using LumaGateway.Access;
using LumaGateway.Generations;
using LumaGateway.Hosting;
using LumaGateway.Problems;
using LumaGateway.Telemetry;

var commandLine = new CommandLine(args);
if (await commandLine.TryRunAsync(Console.Out, Console.Error) is { } exitCode)
{
    return exitCode;
}

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = commandLine.Settings, ContentRootPath = AppContext.BaseDirectory });
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
app.UseRouting(); // the next two middleware read the endpoint
app.UseManagementPort(); // before the cache: it may not answer on the management port
app.UseHits(); // writes a fresh entry from memory without a change of thread
app.UseYieldToThreadPool(); // everything below may compute for long, and must not block the socket's thread
app.UseForwardedHeaders(); // sets the client's address before anything logs it
app.UseTraceContext(); // the trace id is in every problem and log message below
app.UseRequestId(); // the request id too
app.UseSecurityHeaders(); // outside the exception handler: problems carry them too
app.UseExceptionHandler(); // turns exceptions from below into problems
app.UseStatusCodePages(); // turns empty error responses from below into problems
app.UseOptionsAndConnect(); // without authentication: OPTIONS reveals only the allowed methods
app.UseAccess(); // authentication, permissions and limits, before any endpoint
app.UseAuthorization(); // for policies in ReverseProxy:Routes; WebApplication would otherwise insert it before all the others

app.MapGateway();
app.AddListeners();
return await app.RunAndReportErrorsAsync();
