using LumaGateway.Sandbox;
using LumaGateway.Sandbox.Assets;
using LumaGateway.Sandbox.Control;
using LumaGateway.Sandbox.Dialects;

var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });

builder.AddSandboxSettings(args);
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSandbox();

var app = builder.Build();

// Counted on arrival, then let in, then spoilt.
app.UseEmulation();

app.MapDialects();
app.MapAssets();
app.MapControl();

return await app.RunSandboxAsync();
