using LumaGateway.Tests.Upstreams.Dialects;
using LumaGateway.Upstreams;

namespace LumaGateway.Tests.Creating;

/// <summary>Compares the table of <c>docs/creating.md</c> with the writers of all dialects. Reads files only.</summary>
public sealed class ExpressibleFieldsTests
{
    public static TheoryData<string, string> Columns => [.. ExpressibleFields.Columns];

    [Fact]
    public void The_table_has_every_field_except_type_and_options() => Assert.Equal(
        typeof(LumaGateway.Contracts.CreateGenerationRequest).GetProperties().Select(property => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name))
            .Except(["type", "options", "equality_contract"]).Order(),
        ExpressibleFields.Fields.Order());

    [Theory]
    [MemberData(nameof(Columns))]
    public void A_dialect_expresses_what_the_table_says(string dialect, string type) => Assert.All(ExpressibleFields.Fields, field =>
    {
        var (create, faults) = CreateWriterTests.Write(dialect, ExpressibleFields.Sample(dialect, type, field).ToJsonString());

        if (ExpressibleFields.Has(dialect, type, field) is true)
        {
            Assert.Empty(faults);
            Assert.NotNull(create);
        }
        else
        {
            Assert.Equal([field], faults.Keys);
        }
    });

    [Fact]
    public void A_dialect_without_a_column_for_images_creates_none()
    {
        foreach (var dialect in new[] { "relay", "new-api", "piapi" })
        {
            var (_, faults) = CreateWriterTests.Write(dialect, """{"type":"image","prompt":"cat","model":"ray-v2"}""");
            Assert.Equal(["type"], faults.Keys);
        }

        Assert.Equal(["dream-machine", "agents"], ExpressibleFields.Columns.Where(column => column.Type is CreateFields.Image).Select(column => column.Dialect));
    }
}
