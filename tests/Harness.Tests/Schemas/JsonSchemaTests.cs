using System.Text.Json;
using Harness.Schemas;

namespace Harness.Tests.Schemas;

public sealed class JsonSchemaTests
{
    [Theory]
    [InlineData("""{"type":"string"}""", "\"a\"")]
    [InlineData("""{"type":["string","null"]}""", "null")]
    [InlineData("""{"type":"string","nullable":true}""", "null")]
    [InlineData("""{"type":"integer"}""", "3.0")]
    [InlineData("""{"enum":[1,{"a":[2]}]}""", """{"a":[2]}""")]
    [InlineData("""{"multipleOf":0.1}""", "0.3")]
    [InlineData("""{"type":"object","required":["a"],"properties":{"a":{"type":"number","minimum":1}}}""", """{"a":1,"b":2}""")]
    [InlineData("""{"items":{"type":"string"},"uniqueItems":true}""", """["a","b"]""")]
    [InlineData("""{"prefixItems":[{"type":"string"}],"items":{"type":"number"}}""", """["a",1,2]""")]
    [InlineData("""{"oneOf":[{"type":"string"},{"type":"number"}]}""", "1")]
    [InlineData("""{"if":{"required":["a"]},"then":{"required":["b"]}}""", """{"c":1}""")]
    [InlineData("""{"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"next":{"$ref":"#/$defs/node"}}}}}""", """{"next":{"next":{}}}""")]
    [InlineData("""{"properties":{"zip":{"$ref":"#/components/Zip"}},"components":{"Zip":{"type":"string","pattern":"^[0-9]{5}$"}}}""", """{"zip":"12345"}""")]
    [InlineData("""{"$ref":"#/parts/a","parts":{"a":{"items":{"$ref":"#/parts/b"}},"b":{"pattern":"b","items":{"$ref":"#/parts/a"}}}}""", """[["b"]]""")]
    [InlineData("""{"pattern":"^[\\w-\\.]+@[^\\W_][\\d$]\\$$"}""", "\"a-b.c@d$$\"")]
    [InlineData("""{"pattern":"^[^\\D]\\D\\W[\\W]$"}""", "\"1\u0661\u00e4\u00e4\"")]
    [InlineData("""{"pattern":"(?m)^a$"}""", "\"a\\nb\"")]
    [InlineData("""{"pattern":"[]$]\\\\$"}""", "\"$\\\\\"")]
    [InlineData("""{"type":"string","format":"email"}""", "\"no mail\"")]
    [InlineData("true", "[]")]
    public void ValueThatFitsHasNoIssue(string schema, string value) => Assert.Empty(Validate(schema, value));

    [Theory]
    [InlineData("""{"type":"string"}""", "1", "input must be a string, not a number")]
    [InlineData("""{"type":["integer","null"]}""", "1.5", "input must be a whole number or null, not a number")]
    [InlineData("""{"required":["a"]}""", "{}", "input.a is missing")]
    [InlineData("""{"properties":{"a":{"items":{"type":"boolean"}}}}""", """{"a":[true,"x"]}""", "input.a[1] must be a boolean, not a string")]
    [InlineData("""{"additionalProperties":false,"properties":{"a":{}}}""", """{"a":1,"b":2}""", "input.b is not allowed")]
    [InlineData("""{"patternProperties":{"^n_":{"type":"number"}},"additionalProperties":{"type":"string"}}""", """{"n_a":"1","b":1}""", "input.n_a must be a number, not a string; input.b must be a string, not a number")]
    [InlineData("""{"minimum":5}""", "4", "input must be at least 5")]
    [InlineData("""{"exclusiveMaximum":5}""", "5", "input must be less than 5")]
    [InlineData("""{"minLength":2}""", "\"😀\"", "input must have at least 2 characters; it has 1")]
    [InlineData("""{"pattern":"^a+$"}""", "\"ab\"", "input must match ^a+$")]
    [InlineData("""{"pattern":"^[0-9]{5}$"}""", "\"12345\\n\"", "input must match ^[0-9]{5}$")]
    [InlineData("""{"pattern":"^\\d+$"}""", "\"\u0661\"", "input must match ^\\d+$")]
    [InlineData("""{"pattern":"^[\\d]+$"}""", "\"\u0661\"", "input must match ^[\\d]+$")]
    [InlineData("""{"pattern":"^\\w+$"}""", "\"\u00e4\"", "input must match ^\\w+$")]
    [InlineData("""{"patternProperties":{"^a$":false}}""", """{"a\n":1,"a":1}""", "input.a is not allowed")]
    [InlineData("""{"enum":["a","b"]}""", "\"c\"", "input must be one of \"a\", \"b\"")]
    [InlineData("""{"maxLength":1}""", "\"e\u0301\"", "input must have at most 1 characters; it has 2")]
    [InlineData("""{"uniqueItems":true}""", """[{"a":1,"b":"x"},{"b":"\u0078","a":1.0}]""", "input must not have two equal items")]
    [InlineData("""{"const":1}""", "2", "input must be 1")]
    [InlineData("""{"maxItems":1}""", "[1,2]", "input must have at most 1 items; it has 2")]
    [InlineData("""{"uniqueItems":true}""", "[1,2,1]", "input must not have two equal items")]
    [InlineData("""{"contains":{"type":"string"}}""", "[1]", "input has 0 items of the kind it must contain")]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"number"}]}""", "null", "input must be one of the kinds the schema allows")]
    [InlineData("""{"anyOf":[{"type":"null"},{"type":"object","required":["a"]}]}""", "{}", "input.a is missing")]
    [InlineData("""{"oneOf":[{"type":"number"},{"type":"integer"}]}""", "1", "input is of 2 kinds at once, and must be of one")]
    [InlineData("""{"oneOf":[{"type":"number"},{"type":"integer"},{"type":"string"}]}""", "1", "input is of 2 kinds at once, and must be of one")]
    [InlineData("""{"oneOf":[{"type":"object","required":["a"]},{"type":"null"}]}""", "{}", "input.a is missing")]
    [InlineData("""{"not":{"type":"string"}}""", "\"a\"", "input is of a kind the schema forbids")]
    [InlineData("""{"if":{"required":["a"]},"then":{"required":["b"]}}""", """{"a":1}""", "input.b is missing")]
    [InlineData("""{"$ref":"#"}""", "1", "input is nested too deep for its schema")]
    public void ValueThatDoesNotFitIsToldWhereAndWhy(string schema, string value, string issues) =>
        Assert.Equal(issues, SchemaIssue.Join(Validate(schema, value)));

    [Theory]
    [InlineData("""{"type":"text"}""", "schema.type must be one of string, number, integer, boolean, object, array and null, or a list of them")]
    [InlineData("""{"properties":{"a":{"items":7}}}""", "schema.properties.a.items must be a JSON schema: an object, true or false")]
    [InlineData("""{"required":"a"}""", "schema.required must be a list of names")]
    [InlineData("""{"$ref":"#/$defs/x"}""", "schema.$ref must be a place in this schema, such as #/$defs/name")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#/type"}}}""", "schema.properties.a.$ref must be a place in this schema, such as #/$defs/name")]
    [InlineData("""{"$ref":"#/parts/a","parts":{"a":{"$ref":"#/parts/b"},"b":{"items":{"$ref":"#/parts/c"}}}}""", "schema#/parts/b.items.$ref must be a place in this schema, such as #/$defs/name")]
    [InlineData("""{"not":{"$ref":"#/x~1y"},"x/y":{"type":"text"}}""", "schema#/x~1y.type must be one of string, number, integer, boolean, object, array and null, or a list of them")]
    [InlineData("""{"anyOf":[]}""", "schema.anyOf must be a list of schemas")]
    [InlineData("""{"not":[]}""", "schema.not must be a JSON schema: an object, true or false")]
    [InlineData("""{"additionalProperties":[]}""", "schema.additionalProperties must be a JSON schema: an object, true or false")]
    [InlineData("""{"minLength":-1}""", "schema.minLength must be a whole number from 0")]
    [InlineData("[]", "schema must be a JSON schema: an object, true or false")]
    public void SchemaThatIsNoneIsRefusedWithItsPlace(string schema, string message) =>
        Assert.Equal(message, Assert.Throws<JsonSchemaException>(() => JsonSchema.Parse(JsonElement.Parse(schema))).Message);

    [Theory]
    [InlineData("(a", "schema.pattern is no regular expression this server can use")]
    [InlineData(@"[+-\d]", "schema.pattern is no regular expression this server can use")]
    [InlineData("(?=a)b", "schema.pattern is no regular expression this server can use")]
    public void PatternThatCannotBeUsedIsRefused(string pattern, string message) => Assert.StartsWith(
        message, Assert.Throws<JsonSchemaException>(() => JsonSchema.Parse(JsonSerializer.SerializeToElement(new { pattern }))).Message);

    [Fact]
    public void MissingValueIsSaidToBeMissing() =>
        Assert.Equal("input is missing", Assert.Single(JsonSchema.Parse(JsonElement.Parse("{}")).Validate(default, "input")).ToString());

    [Fact]
    public void ValueThatIsWrongDeepInsideIsCheckedAtOnce()
    {
        const string Tree = """
            {"$ref":"#/$defs/n","$defs":{"n":{"anyOf":[
              {"type":"object","required":["v"],"properties":{"v":{"type":"number"},"next":{"$ref":"#/$defs/n"}}},{"type":"null"}]}}}
            """;
        var value = string.Concat(Enumerable.Repeat("""{"v":1,"next":""", 40)) + """{"v":"x"}""" + new string('}', 40);

        Assert.Equal(
            $"input{string.Concat(Enumerable.Repeat(".next", 40))}.v must be a number, not a string", Assert.Single(Validate(Tree, value)).ToString());
    }

    [Theory]
    [InlineData("""{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}""")]
    [InlineData("""{"not":{"allOf":[{"not":{"$ref":"#"}},{"not":{"$ref":"#"}}]}}""")]
    public void SchemaThatGoesRoundInCirclesGivesUp(string schema) => Assert.Equal(
        "input takes too much work to check against its schema", Assert.Single(Validate(schema, "{}")).ToString());

    [Fact]
    public void ManyItemsAreCheckedForTwinsAtOnce()
    {
        var items = Enumerable.Range(0, 200_000).Select(number => $$"""{"a":[{{number}}]}""").ToList();

        Assert.Empty(Validate("""{"uniqueItems":true}""", $"[{string.Join(',', items)}]"));
        Assert.Single(Validate("""{"uniqueItems":true}""", $$"""[{{string.Join(',', items)}},{"a":[7.0]}]"""));
    }

    [Fact]
    public void NoMoreThanTwentyIssuesAreTold() =>
        Assert.Equal(20, Validate("""{"items":{"type":"string"}}""", $"[{string.Join(',', Enumerable.Range(0, 100))}]").Count);

    [Fact]
    public void TypesOfTheProgramHaveSchemasToo()
    {
        var schema = JsonSchema.Of(typeof(Order), JsonSerializerOptions.Web);

        Assert.Equal("order.id must be a string, not a number", SchemaIssue.Join(schema!.Validate(JsonElement.Parse("""{"id":1,"amount":2}"""), "order")));
        Assert.Equal("order.amount is missing", SchemaIssue.Join(schema.Validate(JsonElement.Parse("""{"id":"a"}"""), "order")));
        Assert.Null(JsonSchema.Of(typeof(JsonElement), JsonSerializerOptions.Web));
    }

    private static IReadOnlyList<SchemaIssue> Validate(string schema, string value) =>
        JsonSchema.Parse(JsonElement.Parse(schema)).Validate(JsonElement.Parse(value), "input");

    private sealed record Order(string Id, decimal Amount, string? Note = null);
}
