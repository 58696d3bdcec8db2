using LumaGateway.Contracts;

namespace LumaGateway.Tests.Upstreams.Dialects;

public sealed class DialectRequestTests
{
    [Theory]
    [InlineData("relay", "generations/a_B-9", "Authorization", "Bearer secret", false)]
    [InlineData("dream-machine", "generations/a_B-9", "Authorization", "Bearer secret", false)]
    [InlineData("agents", "generations/a_B-9", "Authorization", "Bearer secret", true)]
    [InlineData("new-api", "generations/a_B-9", "Authorization", "Bearer secret", false)]
    [InlineData("piapi", "task/a_B-9", "x-api-key", "secret", false)]
    public void A_dialect_defines_its_path_and_credential(string name, string path, string header, string value, bool signsUrls)
    {
        var dialect = Dialect.Named(name);

        Assert.Equal(path, dialect.PathOf(GenerationId.Parse("a_B-9", provider: null)));
        Assert.Equal((header, value), dialect.Credential("secret"));
        Assert.Equal(signsUrls, dialect.SignsUrls);
    }
}
