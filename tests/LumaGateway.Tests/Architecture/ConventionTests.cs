using System.Reflection;
using LumaGateway.Contracts;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LumaGateway.Tests.Architecture;

public sealed class ConventionTests
{
    private static readonly Type[] Types = typeof(Generation).Assembly.GetTypes();

    [Fact]
    public void Log_event_ids_are_unique_and_in_the_range_of_their_room()
    {
        var events = Types
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
            .Select(method => (method, log: method.GetCustomAttribute<LoggerMessageAttribute>()))
            .Where(found => found.log is not null)
            .Select(found => (found.log!.EventId, Folder: found.method.DeclaringType!.Namespace!.Split('.')[1], found.method.Name))
            .ToList();

        Assert.True(events.Count >= 10, $"Only {events.Count} log events were found.");
        Assert.Empty(events.GroupBy(one => one.EventId).Where(group => group.Count() > 1).Select(group => group.Key));
        Assert.All(events, one => Assert.Equal(
            one.Folder switch { "Access" => 1, "Caching" or "Redis" => 2, "Problems" or "Upstreams" => 3, _ => 4 },
            one.EventId / 1000));
    }

    [Fact]
    public void No_type_has_a_meaningless_name() =>
        Assert.DoesNotContain(Types, type => type.Namespace?.StartsWith("LumaGateway", StringComparison.Ordinal) is true
            && (type.Name.EndsWith("Helper", StringComparison.Ordinal) || type.Name.EndsWith("Manager", StringComparison.Ordinal)
                || type.Name.EndsWith("Util", StringComparison.Ordinal) || type.Name.EndsWith("Common", StringComparison.Ordinal)
                || type.Name is "Extensions"));

    [Fact]
    public void Every_route_requires_a_permission_or_is_listed_as_public()
    {
        string[] publicRoutes = ["/health/live", "/health/ready", "/openapi/{documentName}.json", "/metrics", "/status", "/callbacks/luma/{secret}", "/", "/swagger/gateway.css", "/swagger/gateway.js"];
        using var gateway = new Gateway();
        using var caller = gateway.CreateCaller();

        var routes = gateway.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().ToList();

        Assert.NotEmpty(routes);
        Assert.All(routes, route => Assert.True(
            route.Metadata.GetMetadata<LumaGateway.Access.RequiredPermission>() is not null || publicRoutes.Contains("/" + route.RoutePattern.RawText!.TrimStart('/')),
            $"{route.RoutePattern.RawText} is public."));
    }
}
