namespace LumaGateway.Tests.Support;

/// <summary>Response bodies in the format of the relay.</summary>
internal static class Samples
{
    public const string CompletedId = "4665a07c-7641-4809-a133-10786201bb56";

    public static string Completed { get; } = File.ReadAllText("fixtures/relay/completed.json");

    public static string CompletedAs(string id) => Completed.Replace(CompletedId, id, StringComparison.Ordinal);

    public static string Interim(string id, string state = "processing") => $$"""{"id":"{{id}}","state":"{{state}}","created_at":"2026-04-08T12:00:00Z","video":null}""";

    public static string Failed(string id) => $$"""{"id":"{{id}}","state":"failed","failure_reason":"Frame moderation failed"}""";

    public static string CompletedWithExpiry(string id, DateTimeOffset expiry) =>
        $$$"""{"id":"{{{id}}}","state":"completed","video":{"url":"https://cdn.test/v.mp4?Expires={{{expiry.ToUnixTimeSeconds()}}}&Signature=00"}}""";
}
