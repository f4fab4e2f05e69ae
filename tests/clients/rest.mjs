// The seed's REST calls, with fetch. HARNESS_HTTP is the server.
const base = process.env.HARNESS_HTTP ?? 'http://localhost:8080';

const response = await fetch(`${base}/api/v1/tests/execute`, {
  method: 'POST',
  headers: {
    'Content-Type': 'application/json',
  },
  body: JSON.stringify({
    api_key: "your_api_key (optional)",
    suite: {
      name: "Example Suite",
      description: "Suite used as an example",
      environment_name: "production",
      tests: [
        {
          id: "test_1",
          test: {
            name: "Example test",
            description: "These are some tests",
            interactions: [
              {
                id: "test_1_1",
                user: {
                  type: "text",
                  text: "hi"
                },
                agent: {
                  validate: [
                    {
                      type: "contains",
                      value: "hello"
                    }
                  ]
                }
              }
            ]
          }
        }
      ]
    }
  })
});

const execution = await response.json();
console.log('Execution ID:', execution.id);

let status;
do {
  const statusResponse = await fetch(`${base}/api/v1/tests/status/${execution.id}`);
  status = await statusResponse.json();
} while (status.status === 'running');
console.log('Status:', status.status);
console.log('Logs:', status.logs);
