var builder = WebApplication.CreateBuilder(new WebApplicationOptions
{
    Args = args,
    ContentRootPath = AppContext.BaseDirectory, // the root appsettings.json is copied beside the binary
});

var app = builder.Build();

app.Run();
