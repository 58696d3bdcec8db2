using System.Globalization;
using System.Net;
using LumaGateway.Assets;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LumaGateway.Tests.Assets;

/// <summary>A gateway that may fetch from a CDN on loopback. <c>cdn.test</c> and <c>mirror.test</c> resolve to it.</summary>
internal static class AssetGateway
{
    public static Gateway For(Cdn cdn) => new Gateway()
        .With("Assets:AllowHttp", "true")
        .With("Assets:AllowedHosts:0", string.Create(CultureInfo.InvariantCulture, $"cdn.test:{cdn.Port}"))
        .With("Assets:AllowedHosts:1", string.Create(CultureInfo.InvariantCulture, $"mirror.test:{cdn.Port}"))
        .With("Assets:AllowedNetworks:0", "127.0.0.0/8")
        .Resolving(IPAddress.Loopback);

    public static Gateway Resolving(this Gateway gateway, params IPAddress[] addresses) => gateway.With(services => services.Replace(
        ServiceDescriptor.Singleton<HostResolver>((_, _) => Task.FromResult(addresses))));

    public static string Completed(string link) => $$$"""{"id":"g1","state":"completed","video":{"url":{{{System.Text.Json.JsonSerializer.Serialize(link)}}}}}""";
}
