using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Errors;
using LumaGateway.Features.Assets;
using LumaGateway.Features.Callbacks;
using LumaGateway.Features.Generations;
using LumaGateway.Features.Health;
using LumaGateway.Features.OpenApi;
using LumaGateway.Features.Passthrough;
using LumaGateway.Features.Server;
using LumaGateway.Features.Status;
using LumaGateway.Features.Waiting;
using LumaGateway.Telemetry;
using LumaGateway.Upstreams;

if (KeyCommand.TryRun(args, Console.Out))
{
    return 0;
}

var builder = WebApplication.CreateBuilder(new WebApplicationOptions
{
    Args = args,
    ContentRootPath = AppContext.BaseDirectory, // the root appsettings.json is copied beside the binary
});

builder.Services.AddSingleton(TimeProvider.System);

// What the gateway is made of, outermost first.
builder.Services.AddGatewayTelemetry(builder.Configuration);
builder.Services.AddGatewayServer();
builder.Services.AddGatewayErrors();
builder.Services.AddAccess();
builder.Services.AddGenerations();
builder.Services.AddAssets();
builder.Services.AddWaiting();
builder.Services.AddCallbacks();
builder.Services.AddResponseCache();
builder.Services.AddUpstreams();
builder.Services.AddPassthrough(builder.Configuration.GetSection("ReverseProxy"));
builder.Services.AddGatewayHealth();
builder.Services.AddStatus();
builder.Services.AddGatewayDocument();

var app = builder.Build();
if (!await app.CanStartAsync())
{
    return Startup.Refused;
}

// The order in which a request meets things.
app.UseForwardedHeaders();
app.UseRequestId();
app.UseSafeHeaders();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.UseMethodAnswers();
app.UseRouting();
app.UseAccess();

app.MapGenerations();
app.MapAssets();
app.MapGenerationBatch();
app.MapWaiting();
app.MapCallbacks();
app.MapPassthrough();
app.MapGatewayHealth();
app.MapGatewayDocument();
app.MapMetrics();
app.MapStatus();

app.AddListeners();
return await app.RunOrExplainAsync();
