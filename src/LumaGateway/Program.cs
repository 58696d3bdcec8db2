using LumaGateway.Access;
using LumaGateway.Assets;
using LumaGateway.Caching;
using LumaGateway.Callbacks;
using LumaGateway.Configuration;
using LumaGateway.Generations;
using LumaGateway.Hosting;
using LumaGateway.LongPolling;
using LumaGateway.OpenApi;
using LumaGateway.Problems;
using LumaGateway.Proxy;
using LumaGateway.Redis;
using LumaGateway.Status;
using LumaGateway.Telemetry;
using LumaGateway.Time;
using LumaGateway.Upstreams;

if (KeyCommand.TryRun(args, Console.Out))
{
    return 0;
}

if (await HealthCommand.TryRunAsync(args, Console.Error) is { } health)
{
    return health;
}

if (HelpCommand.TryRun(args, Console.Out, Console.Error) is { } told)
{
    return told;
}

EgressProxy.UseByDefault();
var isCheck = CheckCommand.TakeFrom(ref args);
var builder = WebApplication.CreateBuilder(new WebApplicationOptions
{
    Args = args,
    ContentRootPath = AppContext.BaseDirectory, // the root appsettings.json is copied beside the binary
});

builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton<MonotonicClock>();

// What the gateway is made of, outermost first.
builder.Services.AddSettingsCheck(); // first at the start: the others read the values that it checks
builder.Services.AddGatewayTelemetry(builder.Configuration);
builder.Services.AddGatewayServer();
builder.Services.AddProblems();
builder.Services.AddAccess();
builder.Services.AddGenerations();
builder.Services.AddAssets();
builder.Services.AddLongPolling();
builder.Services.AddCallbacks();
builder.Services.AddResponseCache();
builder.Services.AddUpstreams();
builder.Services.AddRedis();
builder.Services.AddProxy(builder.Configuration.GetSection("ReverseProxy"));
builder.Services.AddGatewayHealth();
builder.Services.AddStatus();
builder.Services.AddGatewayDocument();
builder.Services.AddCheck();

var app = builder.Build();
if (!await app.CanStartAsync())
{
    return Startup.Refused;
}

if (isCheck)
{
    return await app.CheckConnectionsAsync();
}

// The order in which a request meets things.
app.UseShutdown();
app.UseClientDisconnects();
app.UseRouting();
app.UseManagementPort(); // before UseHits, which answers
app.UseHits();
app.UseYieldToThreadPool();
app.UseForwardedHeaders();
app.UseTraceContext();
app.UseRequestId();
app.UseSecurityHeaders();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.UseMethodAnswers();
app.UseAccess();
app.UseAuthorization(); // for policies that ReverseProxy's routes may name; left to the host, it would stand in front of everything

app.MapGenerations();
app.MapAssets();
app.MapGenerationBatch();
app.MapLongPolling();
app.MapCallbacks();
app.MapProxy();
app.MapGatewayHealth();
app.MapGatewayDocument();
app.MapMetrics();
app.MapStatus();

app.AddListeners();
return await app.RunOrExplainAsync();
