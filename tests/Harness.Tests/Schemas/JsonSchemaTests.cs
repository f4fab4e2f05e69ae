using System.Text.Json;
using Harness.Schemas;

namespace Harness.Tests.Schemas;

public sealed class JsonSchemaTests
{
    private const string Person = """
        {"type":"object","required":["name","age"],"additionalProperties":false,"properties":{
          "name":{"type":"string","minLength":1,"maxLength":20,"pattern":"^[A-Z]"},
          "age":{"type":"integer","minimum":0,"exclusiveMaximum":150},
          "tags":{"type":"array","items":{"enum":["a","b"]},"maxItems":2,"uniqueItems":true},
          "friend":{"anyOf":[{"type":"null"},{"$ref":"#"}]},
          "home":{"$ref":"#/$defs/address"},
          "nick":{"type":["string","null"]},
          "score":{"type":"number","multipleOf":0.1}},
         "$defs":{"address":{"type":"object","required":["city"],"properties":{"city":{"type":"string"}}}}}
        """;

    [Theory]
    [InlineData("""{"name":"Ada","age":36}""")]
    [InlineData("""{"name":"Ada","age":36.0,"tags":["a","b"],"nick":null,"score":0.3}""")]
    [InlineData("""{"name":"Ada","age":0,"friend":{"name":"Bob","age":1,"friend":null},"home":{"city":"Oslo"}}""")]
    public void ValueThatFitsHasNoProblems(string value) => Assert.Empty(Validate(Person, value));

    [Theory]
    [InlineData("""[]""", "Expected object, received array")]
    [InlineData("""{"name":"Ada"}""", "Required at age")]
    [InlineData("""{"name":5,"age":1}""", "Expected string, received number at name")]
    [InlineData("""{"name":"Ada","age":1.5}""", "Expected integer, received number at age")]
    [InlineData("""{"name":"Ada","age":-1}""", "Expected a number greater than or equal to 0 at age")]
    [InlineData("""{"name":"Ada","age":150}""", "Expected a number less than 150 at age")]
    [InlineData("""{"name":"ada","age":1}""", "Expected a text that matches ^[A-Z] at name")]
    [InlineData("""{"name":"","age":1}""", "Expected at least 1 characters, received 0 at name")]
    [InlineData("""{"name":"Ada","age":1,"x":1}""", "Unrecognized key: x")]
    [InlineData("""{"name":"Ada","age":1,"tags":["c"]}""", "Expected one of a, b at tags.0")]
    [InlineData("""{"name":"Ada","age":1,"tags":["a","a"]}""", "Expected no two items to be the same at tags")]
    [InlineData("""{"name":"Ada","age":1,"friend":{"name":"Bob"}}""", "Expected one of the forms of anyOf at friend")]
    [InlineData("""{"name":"Ada","age":1,"home":{}}""", "Required at home.city")]
    [InlineData("""{"name":"Ada","age":1,"nick":1}""", "Expected string or null, received number at nick")]
    public void ProblemSaysWhatAndWhere(string value, string problem) => Assert.Contains(problem, Validate(Person, value));

    [Theory]
    [InlineData("""{"oneOf":[{"type":"number"},{"type":"integer"}]}""", "1", false)]
    [InlineData("""{"oneOf":[{"type":"number"},{"type":"integer"}]}""", "1.5", true)]
    [InlineData("""{"allOf":[{"minimum":1},{"maximum":2}]}""", "3", false)]
    [InlineData("""{"not":{"const":1}}""", "1", false)]
    [InlineData("""{"additionalProperties":{"type":"string"}}""", """{"a":1}""", false)]
    [InlineData("""{"prefixItems":[{"type":"string"}],"items":false}""", """["a",1]""", false)]
    [InlineData("""{"type":"string","nullable":true}""", "null", true)]
    [InlineData("true", "null", true)]
    public void KeywordsThatCombineAreUnderstood(string schema, string value, bool fits) => Assert.Equal(fits, Validate(schema, value).Count == 0);

    [Theory]
    [InlineData("5", "schema must be an object")]
    [InlineData("""{"type":"text"}""", "schema.type must be one of string")]
    [InlineData("""{"properties":[]}""", "schema.properties must be an object of names")]
    [InlineData("""{"properties":{"a":{"required":"b"}}}""", "schema.properties.a.required must be a list of names")]
    [InlineData("""{"$ref":"https://example.com"}""", "schema.$ref must be a place in this schema")]
    [InlineData("""{"pattern":"("}""", "schema.pattern cannot be used")]
    [InlineData("""{"minimum":"1"}""", "schema.minimum must be a number")]
    public void WhatIsNoSchemaIsRefusedWithItsPlace(string schema, string problem)
    {
        var refusal = Assert.Throws<JsonSchemaException>(() => JsonSchema.Read(JsonElement.Parse(schema)));

        Assert.Contains(problem, refusal.Message);
    }

    [Fact]
    public void SchemaThatNamesItselfForEverEnds() => Assert.NotEmpty(Validate("""{"$ref":"#"}""", "1"));

    [Fact]
    public void ProblemsAreNotListedWithoutEnd()
    {
        var value = JsonSerializer.Serialize(Enumerable.Range(0, 1000));

        Assert.Equal(JsonSchema.MaxProblems, Validate("""{"items":{"type":"string"}}""", value).Count);
    }

    private static IReadOnlyList<string> Validate(string schema, string value) =>
        JsonSchema.Read(JsonElement.Parse(schema)).Validate(JsonElement.Parse(value));
}
