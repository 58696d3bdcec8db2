using System.Text.Encodings.Web;
using System.Text.Json;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.OpenApi;

/// <summary>
/// <c>openapi/v1.json</c> is the document that this version serves. With <c>WRITE_DOCUMENT=1</c> in the environment the test writes the file first. Needs nothing.
/// </summary>
public sealed class CommittedDocumentTests(ServedDocument document) : IClassFixture<ServedDocument>
{
    private const string Committed = "openapi/v1.json";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public void The_committed_document_is_the_served_one()
    {
        var served = document.Root.ToJsonString(Readable) + "\n";
        if (Environment.GetEnvironmentVariable("WRITE_DOCUMENT") is "1")
        {
            File.WriteAllText(Path.Combine(Repository.Root, Committed), served);
        }

        var isSame = served == Repository.Read(Committed);

        Assert.True(isSame, $"{Committed} is not the served document. Run this test with WRITE_DOCUMENT=1, read the difference, and commit the file.");
    }
}
