namespace LumaGateway.Sandbox.Dialects;

/// <summary>The completed generation that a dialect's documentation shows, byte for byte.</summary>
internal static class DocumentedSample
{
    public static byte[] Of(string dialect)
    {
        using var resource = typeof(DocumentedSample).Assembly.GetManifestResourceStream($"{dialect}.json")!;
        using var bytes = new MemoryStream();
        resource.CopyTo(bytes);
        return bytes.ToArray();
    }
}
