namespace LumaGateway.Hosting;

/// <summary>Text files that are compiled into the program.</summary>
internal static class EmbeddedFile
{
    public static string Read(string name)
    {
        using var reader = new StreamReader(typeof(EmbeddedFile).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
