using LumaGateway.Proxy;
using LumaGateway.Proxy.Idempotency;

namespace LumaGateway.Creating;

/// <summary>
/// The middleware of a create: that of creates under <c>/luma</c>, so that both have the same accounts, idempotency records, jobs and slots. The idempotency record has the
/// path <c>/generations</c> and the caller's own body.
/// </summary>
internal sealed class CreatePipeline
{
    private readonly RequestDelegate _pipeline;

    public CreatePipeline(IServiceProvider services, GenerationCreator creator)
    {
        var builder = new ApplicationBuilder(services);
        builder.UseMiddleware<CreateWaitMiddleware>(); // outside the idempotency record, which keeps the first state
        builder.UseMiddleware<AccountMiddleware>();
        builder.UseMiddleware<IdempotencyMiddleware>();
        builder.Use(DrainingCheck.CheckAsync);
        builder.UseMiddleware<CreateBodyMiddleware>();
        builder.UseMiddleware<CreateDialectMiddleware>();
        builder.UseMiddleware<JobMiddleware>();
        builder.UseMiddleware<CreateDistributionMiddleware>();
        builder.UseMiddleware<SlotMiddleware>();
        builder.Run(creator.CreateAsync);
        _pipeline = builder.Build();
    }

    public Task InvokeAsync(HttpContext context) => _pipeline(context);
}
