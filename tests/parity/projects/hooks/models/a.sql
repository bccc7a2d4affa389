{{ config(pre_hook=["select 'own'", "{{ announce('hook') }}"], post_hook="select '{{ ref('b') }}'") }}
-- depends_on: {{ ref('b') }}
select 1 as id
