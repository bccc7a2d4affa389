select '{{ this }}' from {{ ref('a') }} -- {{ adapter.quote('x') }} {{ api.Relation.create(schema='s', identifier='i') }}
