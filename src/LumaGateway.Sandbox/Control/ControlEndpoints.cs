using LumaGateway.Sandbox.Dialects;
using LumaGateway.Sandbox.Faults;
using LumaGateway.Sandbox.Generations;
using LumaGateway.Sandbox.Requests;

namespace LumaGateway.Sandbox.Control;

/// <summary>The sandbox's own API below <c>/sandbox</c>: faults, counts, states. It needs no token; it is for the local machine.</summary>
internal static class ControlEndpoints
{
    public static void MapControl(this WebApplication app)
    {
        app.MapGet("/", ReadmeText);

        var control = app.MapGroup("/sandbox");
        control.MapGet("/faults", (FaultRules rules) => rules.List());
        control.MapPut("/faults", AddFault);
        control.MapDelete("/faults", (FaultRules rules) => rules.Clear());
        control.MapGet("/requests", (RequestLog log) => log.Counts());
        control.MapGet("/requests/{id}", (string id, RequestLog log) => log.Of(id));
        control.MapDelete("/requests", (RequestLog log) => log.Reset());
        control.MapGet("/generations/{id}", ReadGeneration);
        control.MapPut("/generations/{id}", SetState);
        control.MapDelete("/generations", (GenerationStore store) => store.Clear());
        control.MapPut("/token", (TokenRequest request, AcceptedToken token) => token.Change(request.Token));
    }

    private static IResult ReadmeText() =>
        Results.Stream(typeof(ControlEndpoints).Assembly.GetManifestResourceStream("README.md")!, "text/plain; charset=utf-8");

    private static IResult AddFault(FaultRule rule, FaultRules rules)
    {
        if (rule.Validate() is { } error)
        {
            return Results.Text(error, statusCode: StatusCodes.Status400BadRequest);
        }

        rules.Add(rule);
        return Results.Ok(rules.List());
    }

    private static IResult ReadGeneration(string id, GenerationStore store, TimeProvider clock) =>
        store.Find(id) is { } generation ? Results.Ok(TimelineOf(generation, clock)) : Results.NotFound();

    private static GenerationTimeline SetState(string id, StateRequest request, GenerationStore store, TimeProvider clock) =>
        TimelineOf(store.SetState(id, request.State), clock);

    private static GenerationTimeline TimelineOf(SandboxGeneration generation, TimeProvider clock) =>
        new(generation.Id, generation.StateAt(clock.GetUtcNow()), generation.Timeline);
}
