using System.Text;
using LumaGateway.Contracts;
using LumaGateway.Upstreams;
using LumaGateway.Upstreams.Dialects;

namespace LumaGateway.Tests.Jobs;

/// <summary>The id, state and model in responses to creates. Needs nothing.</summary>
public sealed class WireCreatedTests
{
    [Theory]
    [InlineData("""{"id":"g1","prompt":"a cat","state":"pending","created_at":"2026-01-02T03:04:05Z","video":null}""", "g1", GenerationState.Queued, null)]
    [InlineData("""{"code":200,"message":"","request_id":"r1","data":{"id":"g1","state":"processing"}}""", "g1", GenerationState.Processing, null)]
    [InlineData("""{"task_id":"task_1","status":"queued"}""", "task_1", GenerationState.Queued, null)]
    [InlineData("""{"code":200,"data":{"task_id":"t1","status":"pending","model":"luma"},"message":"success"}""", "t1", GenerationState.Queued, "luma")]
    [InlineData("""{"id":"g1","generation_type":"video","state":"dreaming","model":"ray-2","assets":null}""", "g1", GenerationState.Processing, "ray-2")]
    [InlineData("""[{"id":"g1","state":"queued"}]""", "g1", GenerationState.Queued, null)]
    [InlineData("""{"id":"ABCDEFAB-7641-4809-A133-10786201BB56"}""", "abcdefab-7641-4809-a133-10786201bb56", GenerationState.Processing, null)]
    [InlineData("""{"id":"g1","state":{"a":1},"error":{"code":"x","message":"y"}}""", "g1", GenerationState.Queued, null)]
    public void The_id_the_state_and_the_model_are_read(string body, string id, GenerationState state, string? model)
    {
        var created = CreatedGeneration.Read(new RelayDialect(), Encoding.UTF8.GetBytes(body));

        Assert.Equal(new CreatedGeneration(GenerationId.Parse(id, null), state, model), created);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"code":500,"data":null}""")]
    [InlineData("""{"id":"not/an/id"}""")]
    [InlineData("""[{"id":"g1"},{"id":"g2"}]""")]
    [InlineData("""{"data":{"data":{"data":{"data":{"id":"g1"}}}}}""")]
    public void A_body_without_an_id_is_read_as_none(string body) => Assert.Null(CreatedGeneration.Read(new RelayDialect(), Encoding.UTF8.GetBytes(body)));
}
